-- households_listedmember follows its sources (models/listed_member.py), as households_listedcard does its own: triggers
-- of statements, each refreshing the persons its rows touch. `changde.lists_wait` = 'on' holds them back.

CREATE FUNCTION listed_members_of(ids bigint[]) RETURNS SETOF households_listedmember LANGUAGE sql STABLE AS $$
    SELECT p.id, h.village_id, h.head_pinyin, p.name, p.pinyin, p.initials, h.id
    FROM households_membership m
    JOIN households_household h ON h.id = m.household_id AND h.status <> 'closed'
    JOIN households_person p ON p.id = m.person_id
    WHERE m.person_id = ANY (ids) AND m.until IS NULL
$$;

-- The rows are locked before their sources are read: what another transaction wrote while this one waited is seen.
CREATE FUNCTION list_members(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('changde.lists_wait', true), '') = 'on' OR cardinality(ids) = 0 THEN
        RETURN;
    END IF;
    PERFORM 1 FROM households_listedmember WHERE person_id = ANY (ids) ORDER BY person_id FOR UPDATE;
    DELETE FROM households_listedmember WHERE person_id = ANY (ids)
        AND person_id NOT IN (SELECT f.person_id FROM listed_members_of(ids) f);
    INSERT INTO households_listedmember AS l (person_id, village_id, head_pinyin, name, pinyin, initials, household_id)
    SELECT f.person_id, f.village_id, f.head_pinyin, f.name, f.pinyin, f.initials, f.household_id
    FROM listed_members_of(ids) f
    ORDER BY f.person_id
    ON CONFLICT (person_id) DO UPDATE
    SET village_id = excluded.village_id, head_pinyin = excluded.head_pinyin, name = excluded.name,
        pinyin = excluded.pinyin, initials = excluded.initials, household_id = excluded.household_id
    WHERE (l.village_id, l.head_pinyin, l.name, l.pinyin, l.initials, l.household_id)
       IS DISTINCT FROM (excluded.village_id, excluded.head_pinyin, excluded.name, excluded.pinyin, excluded.initials,
                         excluded.household_id);
END $$;

CREATE FUNCTION list_touched_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM list_members(ARRAY(SELECT DISTINCT person_id FROM touched));
    RETURN NULL;
END $$;
CREATE TRIGGER list_new_members AFTER INSERT ON households_membership
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION list_touched_members();
CREATE TRIGGER list_without_members AFTER DELETE ON households_membership
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION list_touched_members();

CREATE FUNCTION list_changed_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM list_members(ARRAY(
        SELECT n.person_id FROM new_rows n JOIN old_rows o USING (id)
        WHERE (n.household_id, n.person_id, n.until) IS DISTINCT FROM (o.household_id, o.person_id, o.until)
        UNION
        SELECT o.person_id FROM new_rows n JOIN old_rows o USING (id) WHERE n.person_id <> o.person_id));
    RETURN NULL;
END $$;
CREATE TRIGGER list_changed_members AFTER UPDATE ON households_membership
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION list_changed_members();

CREATE FUNCTION list_renamed_persons() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM list_members(ARRAY(
        SELECT n.id FROM new_rows n JOIN old_rows o USING (id)
        WHERE (n.name, n.pinyin, n.initials) IS DISTINCT FROM (o.name, o.pinyin, o.initials)));
    RETURN NULL;
END $$;
CREATE TRIGGER list_renamed_persons AFTER UPDATE ON households_person
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION list_renamed_persons();

CREATE FUNCTION list_members_of_changed_households() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM list_members(ARRAY(
        SELECT m.person_id
        FROM new_rows n
        JOIN old_rows o USING (id)
        JOIN households_membership m ON m.household_id = n.id AND m.until IS NULL
        WHERE (n.village_id, n.head_pinyin) IS DISTINCT FROM (o.village_id, o.head_pinyin)
           OR (n.status = 'closed') <> (o.status = 'closed')));
    RETURN NULL;
END $$;
CREATE TRIGGER list_members_of_changed_households AFTER UPDATE ON households_household
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION list_members_of_changed_households();
