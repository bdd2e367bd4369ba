"""An index system while an office types it: a tree of texts, its way to and from a definition, and the builder's steps.

The tree holds what stands in the controls of the page, however wrong, so that nothing typed is ever lost. Its shape:

    {"zh", "en", "income_line", "monitoring_line", "cutoff",
     "dimensions": [{"id", "zh", "en", "indicators": [PART]}], "vetoes": [PART], "exclusions": [PART]}
    PART: {"id", "zh", "en", "weight", "open", "rule": RULE}
    RULE: {"join": "and" | "or", "rules": [RULE]}, or one comparison:
          {"join": "", "field", "operator", "kind", "value", "words": [str], "of", "times"}

`kind` of a comparison with a number: "number" (value), "times" (times x of) or a line of LINES (line x of); yes/no is a
value of "yes" or "no", words are those ticked. A control is named by its place: dimensions.0.indicators.1.weight.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from fractions import Fraction
from typing import Any

from households.domain.features import FEATURES, Feature
from households.domain.index_rules import LINES, LIST_OPERATORS, NUMBER_OPERATORS
from households.domain.index_system import MAX_RULE_DEPTH

Typed = dict[str, Any]

COMPARISON_TEXTS = ("field", "operator", "kind", "value", "of", "times")
MOST_PARTS, MOST_RULES, LONGEST_TEXT = 100, 40, 200
# Longer figures make no sense here, and an exponent could ask for a number that fills the memory.
_FIGURE = re.compile(r"[+-]?\d{1,15}(\.\d{1,9})?(/\d{1,15})?")
_SEVERAL = {"=": "in", "!=": "not in", "in": "in", "not in": "not in"}


# ------------------------------------------------------------------------------------------------ to a definition


def definition_of(typed: Mapping[str, Any], *, year: int) -> dict[str, Any]:
    """The JSON document the tree says; IndexSystem.from_json tells whether it holds."""
    return {
        "year": year,
        "name": _label(typed),
        "income_line": figure(typed["income_line"]),
        "monitoring_line": figure(typed["monitoring_line"]),
        "cutoff": figure(typed["cutoff"]),
        "dimensions": [
            {
                "id": dimension["id"],
                "label": _label(dimension),
                "indicators": [_part(part) | {"weight": figure(part["weight"])} for part in dimension["indicators"]],
            }
            for dimension in typed["dimensions"]
        ],
        "vetoes": [_part(part) for part in typed["vetoes"]],
        "exclusions": [_part(part) for part in typed["exclusions"]],
    }


def rule_of(rule: Mapping[str, Any]) -> dict[str, Any]:
    """One rule of the tree as a definition writes it."""
    return _rule(rule)


def figure(text: str) -> str | None:
    """A figure as a definition writes it; full width, thousands separators and per cent are taken. None: empty."""
    plain = re.sub(r"[,\s]", "", unicodedata.normalize("NFKC", text))
    if not plain:
        return None
    digits = plain.removesuffix("%")
    if not _FIGURE.fullmatch(digits):
        return "?"
    if digits == plain:
        return plain
    try:
        return str(Fraction(digits) / 100)
    except ZeroDivisionError:
        return "?"


def _label(node: Mapping[str, Any]) -> dict[str, str]:
    return {"zh": node["zh"].strip(), "en": node["en"].strip()}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": part["id"], "label": _label(part), "rule": _rule(part["rule"])}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    if rule["join"]:
        return {rule["join"]: [_rule(part) for part in rule["rules"]]}
    feature = FEATURES.get(rule["field"])
    operator, value = rule["operator"], None
    if feature is None or feature.is_number:
        value = _number(rule)
    elif feature.kind == "truth":
        operator, value = "=", {"yes": True, "no": False}.get(rule["value"])
    else:
        words = rule["words"]
        if operator in LIST_OPERATORS or len(words) != 1:
            operator, value = _SEVERAL.get(operator, operator), list(words)
        else:
            value = words[0]
    return {"field": rule["field"], "operator": operator, "value": value}


def _number(rule: Mapping[str, Any]) -> Any:
    if rule["kind"] in LINES:
        return {"field": rule["of"], "times": rule["kind"]}
    if rule["kind"] == "times":
        return {"field": rule["of"], "times": figure(rule["times"])}
    return figure(rule["value"])


# ---------------------------------------------------------------------------------------------- from a definition


def typed_of(definition: Mapping[str, Any]) -> Typed:
    """The tree that says a definition, every part closed."""
    return {
        "zh": definition["name"]["zh"],
        "en": definition["name"]["en"],
        **{name: str(definition[name]) for name in ("income_line", "monitoring_line", "cutoff")},
        "dimensions": [
            {
                "id": dimension["id"],
                **dimension["label"],
                "indicators": [_typed_part(part) for part in dimension["indicators"]],
            }
            for dimension in definition["dimensions"]
        ],
        "vetoes": [_typed_part(part) for part in definition.get("vetoes", [])],
        "exclusions": [_typed_part(part) for part in definition.get("exclusions", [])],
    }


def _typed_part(part: Mapping[str, Any]) -> Typed:
    label = part["label"]
    return new_part(part["id"], zh=label["zh"], en=label["en"], open="", weight=str(part.get("weight", ""))) | {
        "rule": _typed_rule(part["rule"])
    }


def _typed_rule(rule: Mapping[str, Any]) -> Typed:
    for join in ("and", "or"):
        if join in rule:
            return {"join": join, "rules": [_typed_rule(part) for part in rule[join]]}
    found = new_comparison() | {"field": rule["field"], "operator": rule["operator"]}
    value = rule["value"]
    if isinstance(value, dict):
        line = value["times"] in LINES
        return found | {
            "kind": value["times"] if line else "times",
            "of": value["field"],
            "times": "" if line else str(value["times"]),
        }
    if isinstance(value, bool):
        return found | {"value": "yes" if value else "no"}
    if FEATURES[rule["field"]].kind == "choice":
        return found | {"words": list(value) if isinstance(value, list) else [value]}
    return found | {"value": str(value)}


# --------------------------------------------------------------------------------------------------- posted fields


def to_fields(typed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The controls of the page, name and value, in its order."""

    def walk(node: Any, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(node, str):
            yield path, node
        elif isinstance(node, list):
            for position, each in enumerate(node):
                yield from [(path, each)] if isinstance(each, str) else walk(each, f"{path}.{position}")
        else:
            for key, each in node.items():
                yield from walk(each, f"{path}.{key}" if path else key)

    return walk(typed, "")


def from_fields(pairs: Iterable[tuple[str, str]]) -> Typed:
    """The tree of posted controls. What is no control of the page is left out; texts and lists are cut at a size no
    index system reaches."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        node, *path = root, *name.split(".")
        for token in path[:-1]:
            node = node.setdefault(token, {})
            if not isinstance(node, dict):
                break
        else:
            texts = node.setdefault(path[-1], [])
            if isinstance(texts, list):
                texts.append(value.replace("\x00", "")[:LONGEST_TEXT])
    return {
        **_texts(root, "zh", "en", "income_line", "monitoring_line", "cutoff"),
        "dimensions": [
            {
                **_texts(node, "id", "zh", "en"),
                "indicators": [_read_part(part) for part in _nodes(node, "indicators", MOST_PARTS)],
            }
            for node in _nodes(root, "dimensions", MOST_PARTS)
        ],
        "vetoes": [_read_part(part) for part in _nodes(root, "vetoes", MOST_PARTS)],
        "exclusions": [_read_part(part) for part in _nodes(root, "exclusions", MOST_PARTS)],
    }


def _texts(node: Mapping[str, Any], *names: str) -> dict[str, str]:
    found = {name: node.get(name) for name in names}
    return {name: texts[-1] if isinstance(texts, list) and texts else "" for name, texts in found.items()}


def _nodes(node: Mapping[str, Any], key: str, most: int) -> list[dict[str, Any]]:
    """The numbered nodes below a key, in the order of their numbers."""
    inside = node.get(key)
    if not isinstance(inside, dict):
        return []
    numbered = [(int(token), each) for token, each in inside.items() if re.fullmatch(r"\d{1,4}", token)]
    return [each for _position, each in sorted(numbered, key=lambda pair: pair[0]) if isinstance(each, dict)][:most]


def _read_part(node: Mapping[str, Any]) -> Typed:
    rule = node.get("rule")
    return {
        **_texts(node, "id", "zh", "en", "weight", "open"),
        "rule": _read_rule(rule if isinstance(rule, dict) else {}),
    }


def _read_rule(node: Mapping[str, Any], depth: int = 0) -> Typed:
    join = _texts(node, "join")["join"]
    if join in ("and", "or") and depth <= MAX_RULE_DEPTH:
        rules = [_read_rule(each, depth + 1) for each in _nodes(node, "rules", MOST_RULES)]
        return {"join": join, "rules": rules}
    words = node.get("words")
    texts = _texts(node, *COMPARISON_TEXTS)
    return new_comparison() | texts | {"words": list(dict.fromkeys(words)) if isinstance(words, list) else []}


# ------------------------------------------------------------------------------------------------------- new nodes


def new_comparison() -> Typed:
    return {
        "join": "", "field": "", "operator": "", "kind": "number", "value": "", "words": [], "of": "", "times": "",
    }  # fmt: skip


def new_part(name: str, *, zh: str = "", en: str = "", weight: str = "", open: str = "1") -> Typed:
    return {"id": name, "zh": zh, "en": en, "weight": weight, "open": open, "rule": new_comparison()}


def operators_of(feature: Feature | None) -> tuple[str, ...]:
    """The operators that fit a feature, the one to begin with first."""
    if feature is None or feature.is_number:
        return NUMBER_OPERATORS
    return ("=",) if feature.kind == "truth" else ("in", "not in", "=", "!=")


def is_comparable(left: Feature, right: Feature) -> bool:
    """Can `left` be held against some times `right`?"""
    return right.is_number and right.name != left.name and (right.kind == "count" or right.unit == left.unit)


# ------------------------------------------------------------------------------------------- steps of the builder


def act(typed: Typed, action: str) -> tuple[Typed, str]:
    """Do one step of the builder ("up:dimensions.1"); the new tree and the place to go on at.

    A step that makes no sense (any more) changes nothing.
    """
    typed = deepcopy(typed)
    verb, _colon, path = action.partition(":")
    step = _STEPS.get(verb)
    try:
        at = step(typed, path) if step else ""
    except (KeyError, IndexError, TypeError, ValueError):
        at = path
    _settle(typed)
    return typed, at


def weights(typed: Mapping[str, Any]) -> list[list[Fraction | None]]:
    """The weights by dimension, None where a text is no figure."""
    return [[_fraction(part["weight"]) for part in dimension["indicators"]] for dimension in typed["dimensions"]]


def _fraction(text: str) -> Fraction | None:
    plain = figure(text)
    try:
        return Fraction(plain) if plain and plain != "?" else None
    except ZeroDivisionError:
        return None


def place_of(path: str) -> str:
    """The control (or node) of the page that a domain Problem's path is about."""
    place = re.sub(r"\.(and|or)\.(?=\d)", ".rules.", path)
    if place in ("name", "name.zh"):
        return "zh"
    for ending, control in ((".value.times", ".times"), (".value.field", ".of"), (".label.zh", ".zh"), (".id", ".zh")):
        if place.endswith(ending):
            return place.removesuffix(ending) + control
    return place


def parts_of(typed: Mapping[str, Any]) -> Iterator[tuple[str, Typed]]:
    """Everything that has a rule, with its place."""
    for position, dimension in enumerate(typed["dimensions"]):
        for place, part in enumerate(dimension["indicators"]):
            yield f"dimensions.{position}.indicators.{place}", part
    for key in ("vetoes", "exclusions"):
        for place, part in enumerate(typed[key]):
            yield f"{key}.{place}", part


def open_at(typed: Typed, places: Iterable[str]) -> Typed:
    """The tree with every part open in which one of these places lies."""
    typed, places = deepcopy(typed), list(places)
    for path, part in parts_of(typed):
        if any(place == path or place.startswith(f"{path}.") for place in places):
            part["open"] = "1"
    return typed


def _node(typed: Typed, path: str) -> Any:
    node: Any = typed
    for token in path.split("."):
        node = node[int(token)] if isinstance(node, list) else node[token]
    return node


def _split(path: str) -> tuple[str, int]:
    """The list a place lies in, and its position there."""
    inside, _dot, position = path.rpartition(".")
    return inside, int(position)


def _put(typed: Typed, path: str, node: Any) -> None:
    inside, _dot, key = path.rpartition(".")
    holder = _node(typed, inside)
    if isinstance(holder, list):
        holder[int(key)] = node
    else:
        holder[key] = node


def _free_name(typed: Typed, letter: str) -> str:
    used = {dimension["id"] for dimension in typed["dimensions"]} | {part["id"] for _path, part in parts_of(typed)}
    return next(name for number in range(1, 10**4) if (name := f"{letter}{number}") not in used)


def _add(typed: Typed, path: str) -> str:
    if not re.fullmatch(r"dimensions(\.\d+\.indicators)?|vetoes|exclusions", path):
        return path
    target = _node(typed, path)
    if len(target) >= MOST_PARTS:
        return path
    if path == "dimensions":
        name = _free_name(typed, "d")
        target.append({"id": name, "zh": "", "en": "", "indicators": [new_part(_free_name(typed, "i"))]})
    else:
        target.append(new_part(_free_name(typed, path[0] if path in ("vetoes", "exclusions") else "i")))
    return f"{path}.{len(target) - 1}.zh"


def _remove(typed: Typed, path: str) -> str:
    inside, position = _split(path)
    nodes = _node(typed, inside)
    nodes.pop(position)
    if inside.endswith(".rules"):
        group = inside.removesuffix(".rules")
        if len(nodes) == 1:  # one condition needs no group around it
            _put(typed, group, nodes[0])
        elif not nodes:
            _put(typed, group, new_comparison())
        return group
    return f"{inside}.{min(position, len(nodes) - 1)}" if nodes else inside


def _move(typed: Typed, path: str, by: int) -> str:
    inside, position = _split(path)
    nodes = _node(typed, inside)
    to = position + by
    if position >= len(nodes):  # gone meanwhile
        return path
    if 0 <= to < len(nodes):
        nodes[position], nodes[to] = nodes[to], nodes[position]
        return f"{inside}.{to}"
    if inside.endswith(".indicators"):  # over the edge: into the neighbouring dimension
        _list, dimension = _split(inside.removesuffix(".indicators"))
        if 0 <= dimension + by < len(typed["dimensions"]):
            neighbour = typed["dimensions"][dimension + by]["indicators"]
            to = len(neighbour) if by < 0 else 0
            neighbour.insert(to, nodes.pop(position))
            return f"dimensions.{dimension + by}.indicators.{to}"
    return path


def _open(typed: Typed, path: str) -> str:
    _node(typed, path)["open"] = "1"
    return f"{path}.zh"


def _close(typed: Typed, path: str) -> str:
    _node(typed, path)["open"] = ""
    return path


def _join(join: str) -> Callable[[Typed, str], str]:
    """One more condition beside the rule at `path`: where the join is the same inside or beside it, else around it."""

    def step(typed: Typed, path: str) -> str:
        rule = _node(typed, path)
        if rule["join"] == join:
            rule["rules"].append(new_comparison())
            return f"{path}.rules.{len(rule['rules']) - 1}.field"
        inside, _dot, key = path.rpartition(".")
        if inside.endswith(".rules"):
            group = _node(typed, inside.removesuffix(".rules"))
            if group["join"] == join:
                group["rules"].insert(int(key) + 1, new_comparison())
                return f"{inside}.{int(key) + 1}.field"
        if path.count(".rules.") + _height(rule) >= MAX_RULE_DEPTH:
            return path
        _put(typed, path, {"join": join, "rules": [rule, new_comparison()]})
        return f"{path}.rules.1.field"

    return step


def _height(rule: Typed) -> int:
    return 1 + max(map(_height, rule["rules"]), default=0) if rule["join"] else 0


def _even(typed: Typed, path: str) -> str:
    """Share evenly: all indicators ("all"), each dimension the same and its indicators the same ("dimensions"), or what
    one dimension has among its indicators."""
    dimensions = typed["dimensions"]
    count = sum(len(dimension["indicators"]) for dimension in dimensions)
    filled = [dimension for dimension in dimensions if dimension["indicators"]]
    if path in ("all", "dimensions"):
        for dimension in filled:
            size = len(dimension["indicators"])
            for part in dimension["indicators"]:
                part["weight"] = str(Fraction(1, count) if path == "all" else Fraction(1, len(filled) * size))
        return "weights"
    dimension = _node(typed, path)
    own = [_fraction(part["weight"]) for part in dimension["indicators"]]
    known = [weight for weight in own if weight is not None]
    total = sum(known, start=Fraction(0)) if known else Fraction(1, len(filled))
    for part in dimension["indicators"]:
        part["weight"] = str(total / len(own))
    return f"{path}.indicators.0.weight"


_STEPS: dict[str, Callable[[Typed, str], str]] = {
    "add": _add,
    "remove": _remove,
    "up": lambda typed, path: _move(typed, path, -1),
    "down": lambda typed, path: _move(typed, path, 1),
    "open": _open,
    "close": _close,
    "and": _join("and"),
    "or": _join("or"),
    "even": _even,
    "refresh": lambda typed, path: path,
}


def _settle(typed: Typed) -> None:
    """After another feature was chosen: an operator and a kind of value that fit it, and only words of its list."""

    def settle(rule: Typed) -> None:
        if rule["join"]:
            for each in rule["rules"]:
                settle(each)
            return
        feature = FEATURES.get(rule["field"])
        operators = operators_of(feature)
        if rule["operator"] not in operators:
            rule["operator"] = operators[0]
        rule["words"] = [word for word in rule["words"] if feature and word in feature.values]
        if feature is None or not feature.is_number or (rule["kind"] in LINES and feature.kind != "money"):
            rule["kind"] = "number"
        rule["kind"] = rule["kind"] or "number"
        if feature and feature.kind == "truth" and rule["value"] not in ("yes", "no"):
            rule["value"] = ""
        if feature and feature.is_number and rule["value"] in ("yes", "no"):
            rule["value"] = ""

    for _path, part in parts_of(typed):
        settle(part["rule"])
