-- The ledger's tables, the function that writes a batch, append-only triggers, partitions and roles.
-- Every key begins with log_id, so that the tables can be distributed by it.

-- Roles are cluster-wide: two databases may be migrated at the same time, hence two ways to meet an existing one.
DO $$
DECLARE
  name text;
  missing text[] := '{}';
BEGIN
  FOREACH name IN ARRAY ARRAY['countersign_writer', 'countersign_sequencer', 'countersign_signer', 'countersign_reader'] LOOP
    CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = name);
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', name);
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN missing := missing || format('CREATE ROLE %I NOLOGIN;', name);
    END;
  END LOOP;
  IF missing <> '{}' THEN
    RAISE EXCEPTION USING
      ERRCODE = 'insufficient_privilege',
      MESSAGE = 'roles are missing and this login may not create them; run this as an administrator: '
        || array_to_string(missing, ' ');
  END IF;
END
$$;

CREATE TABLE ledger_log (
  log_id bigint PRIMARY KEY,
  origin text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 20);
COMMENT ON TABLE ledger_log IS 'One row per log; log_id is derived from the origin.';

CREATE TABLE ledger_setting (
  log_id bigint NOT NULL,
  name text NOT NULL,
  value text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (log_id, name)
);
COMMENT ON TABLE ledger_setting IS 'mode (evaluation or production) and the settings that the last ledger.settings leaf told.';

CREATE TABLE ledger_key (
  log_id bigint NOT NULL,
  kid text NOT NULL,
  use text NOT NULL,
  algorithm text NOT NULL,
  public_key bytea NOT NULL,
  added_at timestamptz NOT NULL,
  certificate bytea NOT NULL,
  PRIMARY KEY (log_id, kid)
);
COMMENT ON COLUMN ledger_key.certificate IS 'HMAC under the audit key file: a row alone makes no key.';

CREATE TABLE ledger_stream (
  log_id bigint NOT NULL,
  stream uuid NOT NULL,
  public_key bytea NOT NULL,
  kid text NOT NULL,
  certificate bytea NOT NULL,
  opened_at timestamptz NOT NULL,
  head_counter bigint,
  head_digest bytea,
  head_signature bytea,
  PRIMARY KEY (log_id, stream)
) WITH (fillfactor = 50);
COMMENT ON TABLE ledger_stream IS 'One row per replica incarnation; only its head changes, at most every 100 ms.';

CREATE TABLE ledger_batch (
  log_id bigint NOT NULL,
  batch_id uuid NOT NULL,
  stream uuid NOT NULL,
  counter bigint NOT NULL,
  first_seq bigint NOT NULL,
  n integer NOT NULL CHECK (n > 0),
  digest bytea NOT NULL,
  leaf_hashes bytea NOT NULL,
  PRIMARY KEY (log_id, stream, counter),
  UNIQUE (log_id, batch_id),
  CHECK (length(leaf_hashes) = 32 * n)
);
ALTER TABLE ledger_batch ALTER COLUMN leaf_hashes SET STORAGE EXTERNAL;

CREATE TABLE ledger_pending (
  log_id bigint NOT NULL,
  stream uuid NOT NULL,
  counter bigint NOT NULL,
  batch_id uuid NOT NULL,
  PRIMARY KEY (log_id, stream, counter)
);
COMMENT ON TABLE ledger_pending IS 'A batch until it is sequenced.';

CREATE TABLE ledger_entry (
  log_id bigint NOT NULL,
  id uuid NOT NULL,
  batch_id uuid NOT NULL,
  pos integer NOT NULL,
  leaf bytea NOT NULL,
  PRIMARY KEY (log_id, id)
) PARTITION BY RANGE (id);
ALTER TABLE ledger_entry ALTER COLUMN leaf SET STORAGE EXTERNAL;

-- Ciphertext does not compress: EXTERNAL saves the attempt.
CREATE TABLE ledger_payload (
  log_id bigint NOT NULL,
  id uuid NOT NULL,
  key_id uuid NOT NULL,
  body bytea,
  secret_key_id uuid,
  secret bytea,
  PRIMARY KEY (log_id, id)
) PARTITION BY RANGE (id);
ALTER TABLE ledger_payload ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE ledger_payload ALTER COLUMN secret SET STORAGE EXTERNAL;

-- Each replica makes its own keys, so there is no race about who made the key of a subject. Erasing
-- a subject or a period destroys the wrapped keys of all rows that name it.
CREATE TABLE ledger_data_key (
  log_id bigint NOT NULL,
  key_id uuid NOT NULL,
  class text NOT NULL,
  period date NOT NULL,
  subject bytea NOT NULL,
  wrapped bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (log_id, key_id)
);
CREATE INDEX ledger_data_key_subject ON ledger_data_key (log_id, subject, class, period);
CREATE INDEX ledger_data_key_period ON ledger_data_key (log_id, class, period);
COMMENT ON COLUMN ledger_data_key.subject IS 'HMAC of the actor; empty for records without one.';
COMMENT ON COLUMN ledger_data_key.wrapped IS 'The key under the key from a file; null once it was destroyed.';

-- One GIN over hashed terms instead of an index per filter: measured 17 µs a row against 65 for fifteen indexes.
CREATE TABLE ledger_search (
  log_id bigint NOT NULL,
  id uuid NOT NULL,
  actor text COLLATE "C",
  terms integer[] NOT NULL,
  reason text NOT NULL,
  PRIMARY KEY (log_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX ledger_search_terms ON ledger_search USING gin (terms) WITH (fastupdate = on, gin_pending_list_limit = 32768);
COMMENT ON TABLE ledger_search IS 'Derived, rebuildable, erasable; never evidence.';

CREATE TABLE ledger_idempotency (
  log_id bigint NOT NULL,
  claim bytea NOT NULL,
  body bytea NOT NULL,
  ids uuid[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (log_id, claim)
);
CREATE INDEX ledger_idempotency_age ON ledger_idempotency (created_at);

-- Append-only, also for the owner.
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
    MESSAGE = format('%s is append-only: %s is refused', TG_TABLE_NAME, lower(TG_OP));
END
$$;

CREATE FUNCTION ledger_head_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.log_id, NEW.stream, NEW.public_key, NEW.kid, NEW.certificate, NEW.opened_at)
    IS DISTINCT FROM (OLD.log_id, OLD.stream, OLD.public_key, OLD.kid, OLD.certificate, OLD.opened_at)
    OR NEW.head_counter < OLD.head_counter OR (NEW.head_counter IS NULL AND OLD.head_counter IS NOT NULL) THEN
    RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
      MESSAGE = 'only the head of a stream changes, and it never goes back';
  END IF;
  RETURN NEW;
END
$$;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['ledger_entry', 'ledger_batch', 'ledger_key', 'ledger_log'] LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION ledger_refuse()', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['ledger_entry', 'ledger_batch', 'ledger_key', 'ledger_log', 'ledger_stream', 'ledger_payload',
    'ledger_search'] LOOP
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()', name);
  END LOOP;
END
$$;
CREATE TRIGGER head_only BEFORE UPDATE ON ledger_stream FOR EACH ROW EXECUTE FUNCTION ledger_head_only();
CREATE TRIGGER append_only BEFORE DELETE ON ledger_stream FOR EACH ROW EXECUTE FUNCTION ledger_refuse();

-- Smallest UUIDv7 of an instant: 48 bits of milliseconds, then zeroes.
CREATE FUNCTION ledger_id_floor(instant timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT rpad(lpad(to_hex((extract(epoch FROM instant) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

-- A TRUNCATE trigger on the parent does not guard a partition, so each gets its own; and reloptions are not inherited:
-- up to 8160 bytes a row stays in its page, out-of-line rows cost a second index.
CREATE FUNCTION ledger_dress_partition(partition text, parent text) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = partition::regclass AND tgname = 'no_truncate') THEN
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()', partition);
  END IF;
  IF parent <> 'ledger_search' THEN
    EXECUTE format('ALTER TABLE %I SET (toast_tuple_target = 8160)', partition);
  END IF;
END
$$;

CREATE TABLE ledger_entry_default PARTITION OF ledger_entry DEFAULT;
CREATE TABLE ledger_payload_default PARTITION OF ledger_payload DEFAULT;
CREATE TABLE ledger_search_default PARTITION OF ledger_search DEFAULT;
SELECT ledger_dress_partition('ledger_' || t || '_default', 'ledger_' || t) FROM unnest(ARRAY['entry', 'payload', 'search']) t;

-- Attaching takes a weaker lock on the parent than CREATE TABLE ... PARTITION OF, so writers go on. A month whose rows
-- already lie in the default partition can't be attached: it is left there, and what remains is returned as an alarm.
CREATE FUNCTION ledger_add_partition(parent text, month date) RETURNS boolean LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
  partition text := format('%s_y%sm%s', parent, to_char(month, 'YYYY'), to_char(month, 'MM'));
  lower uuid := ledger_id_floor(month::timestamp AT TIME ZONE 'UTC');
  upper uuid := ledger_id_floor((month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
BEGIN
  IF to_regclass(partition) IS NOT NULL THEN
    RETURN true;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', partition, parent);
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition, lower, upper);
  PERFORM ledger_dress_partition(partition, parent);
  RETURN true;
EXCEPTION
  WHEN duplicate_table OR duplicate_object OR unique_violation THEN RETURN true;
  WHEN check_violation OR lock_not_available THEN RETURN false;
END
$$;

-- Last month to two months ahead. Returns what needs an operator: months that could not be made, rows in a default partition.
CREATE FUNCTION ledger_ensure_partitions() RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
  parent text;
  ahead integer;
  month date;
  occupied boolean;
BEGIN
  FOREACH parent IN ARRAY ARRAY['ledger_entry', 'ledger_payload', 'ledger_search'] LOOP
    FOR ahead IN -1..2 LOOP
      month := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead))::date;
      IF NOT ledger_add_partition(parent, month) THEN
        RETURN NEXT format('%s has no partition for %s', parent, to_char(month, 'YYYY-MM'));
      END IF;
    END LOOP;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', parent || '_default') INTO occupied;
    IF occupied THEN
      RETURN NEXT format('%s_default holds rows', parent);
    END IF;
  END LOOP;
END
$$;

SELECT count(*) FROM ledger_ensure_partitions();

-- New terms wait in a list that every search reads; merging it here keeps the work off the commits.
CREATE FUNCTION ledger_merge_search() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
  merged regclass;
BEGIN
  FOR merged IN
    SELECT i.inhrelid FROM pg_inherits i
    WHERE i.inhparent = 'ledger_search_terms'::regclass
    ORDER BY pg_relation_size(i.inhrelid) DESC
  LOOP
    PERFORM gin_clean_pending_list(merged);
  END LOOP;
END
$$;

-- The words of a text. Names fall apart into theirs: whoever looks for `invoices` means `public.invoices` too.
CREATE FUNCTION ledger_words(words text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT translate(words, './_:-', '     ')
$$;

-- Ids of rows with all the terms, through the index of terms whatever the statistics say: those of a fresh partition are
-- wrong by orders of magnitude. `log_id + 0` keeps the primary key out of it; `id` still chooses the partitions.
CREATE FUNCTION ledger_find_terms(
  p_log bigint, p_from uuid, p_to uuid, p_limit integer, p_newest_first boolean, p_terms integer[],
  p_actors text[], p_actors_like text[], p_words tsquery, p_words_like text[]
) RETURNS SETOF uuid LANGUAGE sql STABLE
SET enable_bitmapscan = on SET enable_indexscan = off SET enable_indexonlyscan = off SET enable_seqscan = off
SET enable_sort = on AS $$
  SELECT id FROM ledger_search
  WHERE log_id + 0 = p_log AND id >= p_from AND id < p_to AND terms @> p_terms
    AND (p_actors IS NULL OR actor = ANY (p_actors) OR actor LIKE ANY (p_actors_like))
    AND (p_words IS NULL OR (reason ILIKE ALL (p_words_like) AND to_tsvector('simple', ledger_words(reason)) @@ p_words))
  ORDER BY CASE WHEN p_newest_first THEN id END DESC, CASE WHEN NOT p_newest_first THEN id END
  LIMIT p_limit
$$;

CREATE FUNCTION ledger_forget_claims() RETURNS bigint LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
  WITH gone AS (
    DELETE FROM ledger_idempotency WHERE (log_id, claim) IN (
      SELECT log_id, claim FROM ledger_idempotency
      WHERE created_at < now() - interval '24 hours' ORDER BY created_at LIMIT 10000 FOR UPDATE SKIP LOCKED
    ) RETURNING 1
  )
  SELECT count(*) FROM gone
$$;

-- One batch, all or nothing, in one round trip. Sent again with the same batch_id it changes nothing and says what is
-- stored. A claim that somebody else holds rolls everything back (SQLSTATE CS001; DETAIL: the lost claims, as JSON).
-- p_claims and p_claim_bodies come sorted by claim, or two replicas deadlock.
CREATE FUNCTION ledger_flush(
  p_log bigint, p_batch uuid, p_stream uuid, p_counter bigint, p_first bigint, p_n integer, p_digest bytea, p_hashes bytea,
  p_ids uuid[], p_leaves bytea[], p_keys uuid[], p_bodies bytea[], p_secret_keys uuid[], p_secrets bytea[],
  p_actors text[], p_reasons text[], p_terms integer[], p_term_from integer[], p_term_to integer[],
  p_new_keys uuid[], p_new_classes text[], p_new_periods text[], p_new_subjects bytea[], p_new_wrapped bytea[],
  p_claims bytea[], p_claim_bodies bytea[], p_claim_from integer[], p_claim_to integer[],
  OUT stored_digest bytea, OUT stored_n integer
) LANGUAGE plpgsql AS $$
DECLARE
  claimed integer;
BEGIN
  INSERT INTO ledger_batch (log_id, batch_id, stream, counter, first_seq, n, digest, leaf_hashes)
  VALUES (p_log, p_batch, p_stream, p_counter, p_first, p_n, p_digest, p_hashes)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    SELECT digest, n INTO stored_digest, stored_n FROM ledger_batch WHERE log_id = p_log AND batch_id = p_batch;
    RETURN;
  END IF;

  IF p_claims IS NOT NULL THEN
    INSERT INTO ledger_idempotency (log_id, claim, body, ids)
    SELECT p_log, c.claim, c.body, p_ids[c.first:c.last]
    FROM (SELECT unnest(p_claims) AS claim, unnest(p_claim_bodies) AS body,
                 unnest(p_claim_from) AS first, unnest(p_claim_to) AS last) c
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS claimed = ROW_COUNT;
    IF claimed < cardinality(p_claims) THEN
      RAISE EXCEPTION USING ERRCODE = 'CS001', MESSAGE = 'claims are held', DETAIL = (
        SELECT coalesce(json_agg(json_build_object('claim', encode(claim, 'hex'), 'body', encode(body, 'hex'), 'ids', ids)), '[]')
        FROM ledger_idempotency
        WHERE log_id = p_log AND claim = ANY (p_claims) AND NOT (ids && p_ids));
    END IF;
  END IF;

  IF p_new_keys IS NOT NULL THEN
    INSERT INTO ledger_data_key (log_id, key_id, class, period, subject, wrapped)
    SELECT p_log, unnest(p_new_keys), unnest(p_new_classes), unnest(p_new_periods)::date, unnest(p_new_subjects),
           unnest(p_new_wrapped)
    ON CONFLICT DO NOTHING;
  END IF;

  -- One statement: measured 5 to 8 % cheaper than four.
  WITH entry AS (
    INSERT INTO ledger_entry (log_id, id, batch_id, pos, leaf)
    SELECT p_log, unnest(p_ids), p_batch, generate_series(0, p_n - 1), unnest(p_leaves)
  ), payload AS (
    INSERT INTO ledger_payload (log_id, id, key_id, body, secret_key_id, secret)
    SELECT p_log, unnest(p_ids), unnest(p_keys), unnest(p_bodies), unnest(p_secret_keys), unnest(p_secrets)
  ), search AS (
    INSERT INTO ledger_search (log_id, id, actor, reason, terms)
    SELECT p_log, s.id, s.actor, s.reason, p_terms[s.first:s.last]
    FROM (SELECT unnest(p_ids) AS id, unnest(p_actors) AS actor, unnest(p_reasons) AS reason,
                 unnest(p_term_from) AS first, unnest(p_term_to) AS last) s
  )
  INSERT INTO ledger_pending (log_id, stream, counter, batch_id) VALUES (p_log, p_stream, p_counter, p_batch);
  stored_digest := p_digest;
  stored_n := p_n;
END
$$;

REVOKE ALL ON FUNCTION ledger_ensure_partitions(), ledger_merge_search(), ledger_forget_claims(), ledger_flush,
  ledger_add_partition(text, date), ledger_dress_partition(text, text) FROM PUBLIC;

GRANT SELECT, INSERT ON ledger_log, ledger_setting, ledger_key, ledger_stream, ledger_batch, ledger_pending,
  ledger_entry, ledger_payload, ledger_data_key, ledger_search, ledger_idempotency TO countersign_writer;
GRANT UPDATE (value, updated_at) ON ledger_setting TO countersign_writer;
GRANT UPDATE (head_counter, head_digest, head_signature) ON ledger_stream TO countersign_writer;
GRANT EXECUTE ON FUNCTION ledger_ensure_partitions(), ledger_merge_search(), ledger_forget_claims(), ledger_flush
  TO countersign_writer;

GRANT SELECT ON ledger_log, ledger_key, ledger_stream, ledger_batch, ledger_entry, ledger_payload, ledger_data_key,
  ledger_search TO countersign_reader;

GRANT SELECT ON ledger_log, ledger_key, ledger_stream, ledger_batch, ledger_entry, ledger_pending TO countersign_sequencer;
GRANT DELETE ON ledger_pending TO countersign_sequencer;
GRANT SELECT ON ledger_log, ledger_key TO countersign_signer;
