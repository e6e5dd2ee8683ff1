"""From a workflow to the files of a tool."""
