"""What agents call their tools, and what kind of tool each is.

Names that mean different things to different agents are corrected in the format that has them.
"""

from __future__ import annotations

from meta.model import ToolKind

_NAMES: dict[ToolKind, str] = {
    "shell": """bash shell sh powershell pwsh terminal execute execute_bash execute_command exec_command run_command
        run_shell_command run_terminal_cmd run_terminal_command run_terminal_command_v2 shell_command local_shell""",
    "edit": """edit multiedit replace apply_patch applypatch patch edit_file edit_file_v2 search_replace str_replace
        str_replace_editor str_replace_based_edit_tool notebookedit insert delete_file""",
    "write": "write create create_file write_file write_to_file",
    "read": "read view read_file read_file_v2 read_many_files notebookread read_lints",
    "search": """grep glob ls list list_dir list_directory search rg ripgrep ripgrep_raw_search grep_search file_search
        glob_file_search codebase_search search_file_content search_files search_dir find_file toolsearch""",
    "web": "webfetch websearch web_fetch web_search google_web_search fetchurl fetch_url",
    "agent": "task task_v2 agent subagent codebase_investigator delegate_to_agent spawn_agent",
    "plan": """todowrite todoread todo_write update_plan create_plan write_todos update_todo report_intent taskcreate
        taskupdate tasklist taskget exitplanmode enterplanmode""",
    "commit": "git_commit",
}
KINDS: dict[str, ToolKind] = {name: kind for kind, names in _NAMES.items() for name in names.split()}


def tool_kind(name: str) -> ToolKind:
    """The kind of a tool by its name, "other" for one that is not in the table."""
    lowered = name.casefold()
    return KINDS.get(lowered, "mcp" if lowered.startswith("mcp_") else "other")
