"""What may not happen: limits, evaluated before an order leaves and after each report."""
