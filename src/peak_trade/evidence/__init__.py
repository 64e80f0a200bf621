"""What a run leaves behind: artifacts, manifest, report page."""
