"""Fresh tables have no statistics, and plans made without them read every row again and again. Only the owner may
gather them, so the owner leaves a function that does so where the tables have outgrown what is known of them."""

from django.db import migrations

CREATE = """
CREATE FUNCTION keep_card_statistics(rows bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT reltuples >= rows / 2 FROM pg_class WHERE oid = 'households_sheet'::regclass) THEN
        RETURN false;
    END IF;
    ANALYZE households_household, households_person, households_membership, households_identityclaim,
            households_sheet, households_membersheet, households_incomeline, households_result, households_listedcard,
            households_finding, households_villagecard;
    RETURN true;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("households", "0181_fill_listed_cards")]
    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION keep_card_statistics(bigint)")]
