-- Policy bundles: as posted, as compiled, and where each stands in its life. At most one is in force.
CREATE TABLE bundle (
  log_id bigint NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  revision text NOT NULL,
  extends text,
  state text NOT NULL CHECK (state IN ('received', 'rejected', 'candidate', 'shadow', 'active', 'retired')),
  digest text,
  posted_at timestamptz(3) NOT NULL,
  posted_by text NOT NULL,
  activated_at timestamptz(3),
  report text NOT NULL,
  files text NOT NULL,
  wasm bytea,
  data text NOT NULL,
  listed text[] NOT NULL,
  PRIMARY KEY (log_id, id)
);
CREATE UNIQUE INDEX bundle_one_active ON bundle (log_id) WHERE state = 'active';
CREATE INDEX bundle_newest ON bundle (log_id, posted_at DESC, id DESC);
ALTER TABLE bundle ALTER COLUMN wasm SET STORAGE EXTERNAL;
COMMENT ON COLUMN bundle.report IS 'JSON text. Text, not jsonb: what was posted comes back byte for byte.';
COMMENT ON COLUMN bundle.files IS 'JSON text: path to content.';

GRANT SELECT, INSERT, UPDATE ON bundle TO countersign_writer;
GRANT SELECT ON bundle TO countersign_reader;
