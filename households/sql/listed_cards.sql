-- households_listedcard follows its sources (models/listed_card.py). Triggers of statements, with the rows a statement
-- touched: a COPY of a thousand sheets is one refresh. `changde.lists_wait` = 'on' lets a load of a whole city fill the
-- table once at its end instead.

CREATE FUNCTION listed_cards_of(ids bigint[]) RETURNS SETOF households_listedcard LANGUAGE sql STABLE AS $$
    SELECT s.id, s.year, h.village_id, h.head_pinyin, s.main_cause,
           coalesce((
               SELECT r.outcome
               FROM households_result r
               JOIN households_townshippointer p
                 ON p.run_id = r.run_id AND p.year = r.year AND p.township_id = r.village_id - r.village_id % 1000
               WHERE r.household_id = h.id AND r.year = s.year
               LIMIT 1), ''),
           h.id
    FROM households_household h
    JOIN households_sheet s ON s.household_id = h.id
    WHERE h.id = ANY (ids) AND h.status <> 'closed'
$$;

-- The rows are locked before their sources are read: what another transaction wrote while this one waited is seen.
CREATE FUNCTION list_cards(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('changde.lists_wait', true), '') = 'on' OR cardinality(ids) = 0 THEN
        RETURN;
    END IF;
    PERFORM 1 FROM households_listedcard
    WHERE sheet_id IN (SELECT id FROM households_sheet WHERE household_id = ANY (ids))
    ORDER BY sheet_id FOR UPDATE;
    DELETE FROM households_listedcard l
    USING households_sheet s, households_household h
    WHERE l.sheet_id = s.id AND h.id = s.household_id AND h.id = ANY (ids) AND h.status = 'closed';
    INSERT INTO households_listedcard AS l (sheet_id, year, village_id, head_pinyin, cause, outcome, household_id)
    SELECT f.sheet_id, f.year, f.village_id, f.head_pinyin, f.cause, f.outcome, f.household_id
    FROM listed_cards_of(ids) f
    ORDER BY f.sheet_id
    ON CONFLICT (sheet_id) DO UPDATE
    SET year = excluded.year, village_id = excluded.village_id, head_pinyin = excluded.head_pinyin,
        cause = excluded.cause, outcome = excluded.outcome, household_id = excluded.household_id
    WHERE (l.year, l.village_id, l.head_pinyin, l.cause, l.outcome, l.household_id)
       IS DISTINCT FROM (excluded.year, excluded.village_id, excluded.head_pinyin, excluded.cause, excluded.outcome,
                         excluded.household_id);
END $$;

CREATE FUNCTION list_new_sheets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM list_cards(ARRAY(SELECT DISTINCT household_id FROM new_rows));
    RETURN NULL;
END $$;
CREATE TRIGGER list_new_sheets AFTER INSERT ON households_sheet
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION list_new_sheets();

CREATE FUNCTION list_changed_sheets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM list_cards(ARRAY(
        SELECT DISTINCT n.household_id FROM new_rows n JOIN old_rows o USING (id)
        WHERE (n.year, n.main_cause, n.household_id) IS DISTINCT FROM (o.year, o.main_cause, o.household_id)));
    RETURN NULL;
END $$;
CREATE TRIGGER list_changed_sheets AFTER UPDATE ON households_sheet
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION list_changed_sheets();

CREATE FUNCTION list_without_sheets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM households_listedcard WHERE sheet_id IN (SELECT id FROM old_rows);
    RETURN NULL;
END $$;
CREATE TRIGGER list_without_sheets AFTER DELETE ON households_sheet
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION list_without_sheets();

CREATE FUNCTION list_changed_households() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM list_cards(ARRAY(
        SELECT n.id FROM new_rows n JOIN old_rows o USING (id)
        WHERE (n.village_id, n.head_pinyin) IS DISTINCT FROM (o.village_id, o.head_pinyin)
           OR (n.status = 'closed') <> (o.status = 'closed')));
    RETURN NULL;
END $$;
CREATE TRIGGER list_changed_households AFTER UPDATE ON households_household
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION list_changed_households();

-- Results of a run that no township shows yet are nobody's: the pointer brings them when it moves.
CREATE FUNCTION list_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM list_cards(ARRAY(
        SELECT DISTINCT r.household_id
        FROM touched r
        JOIN households_townshippointer p
          ON p.run_id = r.run_id AND p.year = r.year AND p.township_id = r.village_id - r.village_id % 1000));
    RETURN NULL;
END $$;
CREATE TRIGGER list_new_results AFTER INSERT ON households_result
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION list_results();
CREATE TRIGGER list_without_results AFTER DELETE ON households_result
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION list_results();

-- Of a township that shows another run: the cards whose outcome is another one than the list says, and those the new
-- run does not judge. In most runs they are few; reading them all again would cost more than the run.
CREATE FUNCTION list_township() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    shown households_townshippointer := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    before bigint := CASE WHEN TG_OP = 'INSERT' THEN 0 ELSE OLD.run_id END;
    after bigint := CASE WHEN TG_OP = 'DELETE' THEN 0 ELSE NEW.run_id END;
    last bigint := shown.township_id + 999;
BEGIN
    PERFORM list_cards(ARRAY(
        SELECT r.household_id
        FROM households_result r
        JOIN households_sheet s ON s.household_id = r.household_id AND s.year = shown.year
        LEFT JOIN households_listedcard l ON l.sheet_id = s.id
        WHERE r.run_id = after AND r.village_id BETWEEN shown.township_id AND last
          AND l.outcome IS DISTINCT FROM r.outcome
        UNION
        -- Sets, not NOT EXISTS: of rows written a moment ago the planner expects one, and would compare each with all.
        ((SELECT household_id FROM households_result
          WHERE run_id = before AND village_id BETWEEN shown.township_id AND last
          UNION
          SELECT household_id FROM households_listedcard
          WHERE year = shown.year AND village_id BETWEEN shown.township_id AND last
            AND outcome IN ('undetermined', 'absolute', 'relative', 'not_poor'))
         EXCEPT
         SELECT household_id FROM households_result
         WHERE run_id = after AND village_id BETWEEN shown.township_id AND last)));
    RETURN NULL;
END $$;
CREATE TRIGGER list_township AFTER INSERT OR UPDATE OR DELETE ON households_townshippointer
    FOR EACH ROW EXECUTE FUNCTION list_township();
