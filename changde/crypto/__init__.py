"""Field encryption with key ids, blind index, masking."""
