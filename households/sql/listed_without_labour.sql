-- households_listedwithoutlabour follows its sources (models/listed_without_labour.py), as households_listedcard does
-- its own: triggers of statements, each refreshing the sheets its rows touch. `changde.lists_wait` = 'on' holds them
-- back. Who can work: households/filters.py (ABLE); a labour that is not known may be one.

CREATE FUNCTION without_labour_of(ids bigint[]) RETURNS SETOF households_listedwithoutlabour LANGUAGE sql STABLE AS $$
    SELECT s.id, s.year, h.village_id, h.head_pinyin, h.id
    FROM households_sheet s
    JOIN households_household h ON h.id = s.household_id AND h.status <> 'closed'
    WHERE s.id = ANY (ids)
      AND EXISTS (SELECT FROM households_membersheet m WHERE m.sheet_id = s.id)
      AND NOT EXISTS (SELECT FROM households_membersheet m WHERE m.sheet_id = s.id
                      AND m.labour IN ('普通劳动力', '技能劳动力', '弱劳动力或半劳动力', ''))
$$;

-- The rows are locked before their sources are read: what another transaction wrote while this one waited is seen.
CREATE FUNCTION list_without_labour(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('changde.lists_wait', true), '') = 'on' OR cardinality(ids) = 0 THEN
        RETURN;
    END IF;
    PERFORM 1 FROM households_listedwithoutlabour WHERE sheet_id = ANY (ids) ORDER BY sheet_id FOR UPDATE;
    DELETE FROM households_listedwithoutlabour WHERE sheet_id = ANY (ids)
        AND sheet_id NOT IN (SELECT f.sheet_id FROM without_labour_of(ids) f);
    INSERT INTO households_listedwithoutlabour AS l (sheet_id, year, village_id, head_pinyin, household_id)
    SELECT f.sheet_id, f.year, f.village_id, f.head_pinyin, f.household_id
    FROM without_labour_of(ids) f
    ORDER BY f.sheet_id
    ON CONFLICT (sheet_id) DO UPDATE
    SET year = excluded.year, village_id = excluded.village_id, head_pinyin = excluded.head_pinyin,
        household_id = excluded.household_id
    WHERE (l.year, l.village_id, l.head_pinyin, l.household_id)
       IS DISTINCT FROM (excluded.year, excluded.village_id, excluded.head_pinyin, excluded.household_id);
END $$;

CREATE FUNCTION list_touched_labour() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM list_without_labour(ARRAY(SELECT DISTINCT sheet_id FROM touched));
    RETURN NULL;
END $$;
CREATE TRIGGER list_new_labour AFTER INSERT ON households_membersheet
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION list_touched_labour();
CREATE TRIGGER list_gone_labour AFTER DELETE ON households_membersheet
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION list_touched_labour();

CREATE FUNCTION list_changed_labour() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM list_without_labour(ARRAY(
        SELECT unnest(ARRAY[n.sheet_id, o.sheet_id]) FROM new_rows n JOIN old_rows o USING (id)
        WHERE (n.labour, n.sheet_id) IS DISTINCT FROM (o.labour, o.sheet_id)));
    RETURN NULL;
END $$;
CREATE TRIGGER list_changed_labour AFTER UPDATE ON households_membersheet
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION list_changed_labour();

CREATE FUNCTION list_labour_of_changed_sheets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM list_without_labour(ARRAY(
        SELECT n.id FROM new_rows n JOIN old_rows o USING (id)
        WHERE (n.year, n.household_id) IS DISTINCT FROM (o.year, o.household_id)));
    RETURN NULL;
END $$;
CREATE TRIGGER list_labour_of_changed_sheets AFTER UPDATE ON households_sheet
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION list_labour_of_changed_sheets();

CREATE FUNCTION list_labour_of_changed_households() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM list_without_labour(ARRAY(
        SELECT s.id
        FROM new_rows n
        JOIN old_rows o USING (id)
        JOIN households_sheet s ON s.household_id = n.id
        WHERE (n.village_id, n.head_pinyin) IS DISTINCT FROM (o.village_id, o.head_pinyin)
           OR (n.status = 'closed') <> (o.status = 'closed')));
    RETURN NULL;
END $$;
CREATE TRIGGER list_labour_of_changed_households AFTER UPDATE ON households_household
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION list_labour_of_changed_households();
