-- The accounts of an inventory on PostgreSQL. Run it as the owner of the tables, and again after every migration:
--
--     psql "$OWNER_URL" --single-transaction --file deploy/roles.sql
--
-- modelops_worker         every process but the actuator: all but champion table and directory   (MODELOPS_DATABASE_URL)
-- modelops_actuator       the actuator: the champion table, and what it records of it            (MODELOPS_ACTUATOR_DATABASE_URL)
-- modelops_administrator  whoever publishes the directory: `modelops directory publish`          (MODELOPS_DATABASE_URL)
-- modelops_reader         whoever only looks: the clients
--
-- They are made without a password; give each its own: ALTER ROLE modelops_worker PASSWORD '...';
-- Only the owner changes tables: MODELOPS_DATABASE_URL with the owner's account, `python -m worker`, once for each release.

DO $$
DECLARE
    account text;
BEGIN
    FOREACH account IN ARRAY
        ARRAY['modelops_worker', 'modelops_actuator', 'modelops_administrator', 'modelops_reader']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = account) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', account);
        END IF;
    END LOOP;
END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA public
    FROM PUBLIC, modelops_worker, modelops_actuator, modelops_administrator, modelops_reader;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public
    FROM PUBLIC, modelops_worker, modelops_actuator, modelops_administrator, modelops_reader;
GRANT USAGE ON SCHEMA public TO modelops_worker, modelops_actuator, modelops_administrator, modelops_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public
    TO modelops_worker, modelops_actuator, modelops_administrator, modelops_reader;

-- What was recorded stays as it was; the champion table is the actuator's alone, the directory the administrators'.
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO modelops_worker;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO modelops_worker;
REVOKE UPDATE, DELETE ON audit, ledger, plan, model, evidence, measurement, reading, value_entry, notification
    FROM modelops_worker;
GRANT UPDATE (verdict, reasons, outcomes, looked, looks, unmeasured) ON measurement TO modelops_worker;
REVOKE UPDATE ON pushed_value FROM modelops_worker;
REVOKE INSERT, UPDATE, DELETE ON portfolio, current_measurement, current_reading, current_value, model_value
    FROM modelops_worker;
REVOKE INSERT, DELETE ON audit_head FROM modelops_worker;
REVOKE DELETE ON finding, channel FROM modelops_worker;
REVOKE INSERT, UPDATE, DELETE ON deployment, directory, alembic_version FROM modelops_worker;
REVOKE USAGE ON SEQUENCE deployment_id_seq FROM modelops_worker;

-- A deployment ends and is never edited. Events that led to an order travel with it: whoever is first records them.
GRANT INSERT, UPDATE (until) ON deployment TO modelops_actuator;
GRANT INSERT ON audit, ledger, evidence, reading TO modelops_actuator;
GRANT INSERT, UPDATE ON lifecycle, version TO modelops_actuator;
GRANT UPDATE ON audit_head TO modelops_actuator;
GRANT USAGE ON SEQUENCE deployment_id_seq, evidence_id_seq, reading_id_seq TO modelops_actuator;

-- An edition of the directory is added and never edited; what makes it count is the signature in it.
GRANT INSERT ON directory, audit TO modelops_administrator;
GRANT UPDATE ON audit_head TO modelops_administrator;
