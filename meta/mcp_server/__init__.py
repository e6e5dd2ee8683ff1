"""The MCP door: the registered tools of a workspace, for an agent to call. How each message travels has its own file."""

from meta.mcp_server.answers import registered

__all__ = ["registered"]
