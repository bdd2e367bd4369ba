"""Template tags and filters that every page has without loading them."""
