"""What a campaign hands out, adds up, makes of it, and shows."""
