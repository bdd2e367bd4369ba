"""Forms: validate, convert, stop."""
