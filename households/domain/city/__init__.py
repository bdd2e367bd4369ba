"""A made-up Changde: believable households, members, incomes and conditions for trials at city size.

Pure and seeded: the same seed makes the same city, village by village, in any order and in any number of processes.
`plan_villages` says how many households each village has, `make_village` makes one village as columns.

It shares no code with what judges cards (checks, index, features, income) or with what looks for falsified ones: what
made a city and what inspects it must be able to disagree. An import contract holds this.

Columns are numpy arrays of one row a household, member, sheet or member's sheet: text and lists as objects ("" is
unknown), answers as booleans, counts as whole numbers (0 in exit_year and work_months is empty), dates as
datetime64[D] (NaT is empty), money and areas (names of `HUNDREDTHS`) in fen and hundredths of their unit.
"""

from households.domain.city.facts import HUNDREDTHS
from households.domain.city.places import YEARS, Place, Village, plan_villages
from households.domain.city.village import Block, count_members, make_village

__all__ = ["HUNDREDTHS", "YEARS", "Block", "Place", "Village", "count_members", "make_village", "plan_villages"]
