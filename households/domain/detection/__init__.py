"""Signs of favor and falsification, from the cards alone: frames in, scores with reasons out.

Pure numpy, pandas and scipy; the same cards give the same scores. A score (0 to 1) estimates how likely the sign is
true of this household; it accuses nobody and decides nothing, an office looks. Methods, errors and what each cannot
see: docs/findings.md.
"""
