"""What must hold before a change of the documents is merged: references, token policy, hygiene, templates."""
