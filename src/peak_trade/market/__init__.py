"""What the market shows and what a strategy wants: bars, intents, strategies and their textbook measures."""
