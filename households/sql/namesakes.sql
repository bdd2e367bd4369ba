-- Which open cards hold somebody of this name and birth date?
-- Grain: (place of the asked person, household). Index: person_born_named, then the person's open membership.
SELECT wanted.place, membership.household_id AS household
FROM unnest(%(places)s::int[], %(names)s::varchar[], %(births)s::date[]) AS wanted (place, name, birth)
JOIN households_person AS person ON person.birth_date = wanted.birth AND person.name = wanted.name
JOIN households_membership AS membership ON membership.person_id = person.id AND membership.until IS NULL
ORDER BY wanted.place, membership.household_id
