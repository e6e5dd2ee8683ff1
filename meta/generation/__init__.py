"""From a workflow to the files of a tool. Its files are imported one by one: naming needs none of the heavy packages."""
