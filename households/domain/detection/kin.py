"""How much a tie to a village cadre weighs: a tie alone is no wrong, help that the household's means do not ask for is.

Studies of rural China found that relatives of cadres are helped more often than households alike; most poor relatives
are poor all the same. The score is the strength of the tie times how little the means of the household suggest that it
is poor.
"""

import numpy as np
import pandas as pd

STRENGTH = {
    "kin_of_cadre_itself": 1.0,  # the cadre is a member of the household
    "kin_declared": 0.95,
    "kin_account": 0.95,
    "kin_split": 0.9,  # split from the cadre's card, or the other way round
    "kin_phone": 0.8,
    "kin_house": 0.75,
}
ALONE = 0.3  # what the tie says where nothing else does
CLEAR = 0.2


def kin_scores(rule: pd.Series, wealth: np.ndarray, owns: np.ndarray) -> np.ndarray:
    """Score of each tie. `wealth`: expected income a head in lines; `owns`: a car, flat or the like is declared."""
    doubt = np.clip((np.nan_to_num(wealth, nan=1.0) - 1.0) / 1.5, 0, 1)
    doubt = np.maximum(doubt, np.where(owns, 0.8, 0.0))
    return rule.map(STRENGTH).to_numpy(dtype=float) * (ALONE + (1 - ALONE) * doubt)
