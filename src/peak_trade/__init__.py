"""Peak Trade, live-ops track: a session that comes near live, under governance, and never gets there by accident."""
