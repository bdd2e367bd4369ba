"""`?keys=national`: the same answer under the codes of the national form (aac001, aak110 ...)."""

from typing import Any

from households.domain.fields import by_attribute, of_entity

NATIONAL = "national"


def codes_of(*entities: str) -> dict[str, str]:
    """attribute -> national code, for the attributes that have one."""
    return {
        field.attribute: field.national_code
        for entity in entities
        for field in of_entity(entity)
        if field.national_code
    }


class NationalKeys:
    """Mixin of serializers: `entities` names whose codes the keys take; a key without a code stays as it is."""

    entities: tuple[str, ...] = ()

    def to_representation(self, row: Any) -> dict[str, Any]:
        values = super().to_representation(row)  # type: ignore[misc]
        request = self.context.get("request")  # type: ignore[attr-defined]
        if request is None or request.query_params.get("keys") != NATIONAL:
            return values
        codes = codes_of(*self.entities)
        return {codes.get(name, name): value for name, value in values.items()}


def help_of(entity: str, attribute: str) -> str:
    """Header of the form and unit, for the schema."""
    field = by_attribute(entity, attribute)
    return f"{field.header} ({field.unit})" if field.unit else field.header
