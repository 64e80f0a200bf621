"""What is wrong with how a session went: book against venue, limits, the venue's door, alarms without a cause."""
