"""Names of people, common in northern Hunan. No character of several readings, so that its sort key is sure."""

import numpy as np

_SURNAMES = (
    "李13 王11 刘11 陈9 张9 杨7 周7 黄6 罗5 唐5 彭5 邓5 谭4 肖4 胡4 曹3 龙3 易3 戴3 熊3 袁3 郭3 吴4 徐3 谢3 何3 "
    "向3 毛2 田3 汪2 高2 丁2 蒋3 文2 贺2 欧2 宋2 傅2 龚2 鲁2 梁2 马2 夏2 苏2 雷2 钟2 万2 莫1 游1 皮1 谷1 "
    "严1 郑1 程1 潘1 汤1 姚1 卢1 余2 孙2 朱2 廖2 方1 姜1 江1 金1 涂1 邹1 侯1"
)
SURNAMES = np.array([part[0] for part in _SURNAMES.split()], dtype=object)
_WEIGHTS = np.array([int(part[1:]) for part in _SURNAMES.split()], dtype=float)
OF_MEN = np.array(
    list(
        "建国华军平明志文德新成云生春林福海波涛俊杰伟强勇刚毅清松峰贵友良义忠孝辉祥龙飞鹏浩然宇轩泽安邦庆立永光先金仁"
    ),
    dtype=object,
)
OF_WOMEN = np.array(
    list("桂英秀兰芳梅珍玉凤霞红艳丽娟娥菊香翠莲春月枝敏静雪婷欣怡雅琴淑慧琳萍群芬爱云平华金银满冬腊清思语晨梦瑶佳"),
    dtype=object,
)


def surnames(rng: np.random.Generator, count: int) -> np.ndarray:
    """Positions in SURNAMES by how common they are."""
    return rng.choice(len(SURNAMES), count, p=_WEIGHTS / _WEIGHTS.sum())


def full_names(rng: np.random.Generator, surname: np.ndarray, male: np.ndarray) -> np.ndarray:
    """Surname and a given name of two characters, one in every seventh."""
    count = len(surname)

    def given() -> np.ndarray:
        men, women = OF_MEN[rng.integers(len(OF_MEN), size=count)], OF_WOMEN[rng.integers(len(OF_WOMEN), size=count)]
        return np.where(male, men, women)

    second = np.where(rng.random(count) < 1 / 7, "", given())
    return SURNAMES[surname] + given() + second
