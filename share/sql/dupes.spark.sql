-- The plan of ms-dupes(1) as Spark makes it: indexes in, a plan for ms-mv(1) out, byte for byte the same.
--
--     spark-sql --conf spark.mediastruct.index='hosts/*.tsv' \
--               --conf spark.mediastruct.plan=plan \
--               --conf spark.mediastruct.protect='["nas:/Archive"]' \
--               -f dupes.spark.sql
--     cat plan/part-* > plan.tsv
--
-- What is to be set beforehand, with spark.mediastruct. before it:
--
--     index       a name or a pattern, as {a,b}/*.tsv: TSV as the tools write it, without a header
--     plan        a directory for the plan, whose parts come one after the other; what is in it is replaced
--     quarantine  --to, a directory of plain characters; duplicates where it is not set
--     protect     --protect, as a JSON array of directories, by how the paths in the index are spelled; none where not set
--
-- It takes Spark 4. It is what ms-dupes does with --keep first, and no other rule. Directories are known by their spelling
-- alone: no link is seen through, and no .ms-protect on a disk is seen, but in an index. Paths that climb (..), or are
-- absolute in one place and relative in another, or name hosts in one place and none in another, are refused where they
-- would go: they could be sent to one place. ms-crawl -a makes paths absolute.

-- The bytes of a path, by which paths are ordered: \\ \t \n \r \xHH stand for one byte each. No stream holds the control
-- character 1, which stands for an escaped backslash meanwhile.
CREATE OR REPLACE TEMPORARY FUNCTION bytes_of(path STRING) RETURNS BINARY RETURN
    CASE WHEN contains(path, char(92)) THEN
        unhex(array_join(transform(
            split(replace(path, concat(char(92), char(92)), char(1)), r'\\'),
            (part, place) -> concat(
                CASE WHEN place = 0 THEN '' WHEN startswith(part, 'x') THEN substr(part, 2, 2)
                     WHEN startswith(part, 't') THEN '09' WHEN startswith(part, 'n') THEN '0A' ELSE '0D' END,
                hex(encode(replace(
                    substr(part, CASE WHEN place = 0 THEN 1 WHEN startswith(part, 'x') THEN 4 ELSE 2 END),
                    char(1), char(92)), 'UTF-8')))
        ), ''))
    ELSE encode(path, 'UTF-8') END;

-- Without . and doubled slashes; but ./nas:/x is another file than nas:/x.
CREATE OR REPLACE TEMPORARY FUNCTION is_located(path STRING) RETURNS BOOLEAN
    RETURN path RLIKE r'^[a-z0-9][a-z0-9.-]*:/';
CREATE OR REPLACE TEMPORARY FUNCTION squeezed(path STRING) RETURNS STRING RETURN
    regexp_replace(regexp_replace(regexp_replace(path, '/+', '/'), r'(^|/)(\./)+', '$1'), r'(.)/\.?$', '$1');
CREATE OR REPLACE TEMPORARY FUNCTION normal(path STRING) RETURNS STRING RETURN
    CASE WHEN NOT path RLIKE r'^\./|//|/\./|/\.?$' THEN path
         WHEN is_located(squeezed(path)) AND NOT is_located(path) THEN concat('./', squeezed(path))
         ELSE squeezed(path) END;

-- Every row once, but for those that ms-verify --failed has let fall.
CREATE OR REPLACE TEMPORARY VIEW lines USING text OPTIONS (path '${spark.mediastruct.index}', lineSep '\n');
CREATE OR REPLACE TEMPORARY VIEW read_rows AS
SELECT column[0] AS path, normal(column[0]) AS name, nullif(get(column, 1), '-') AS hash,
    cast(get(column, 2) AS DECIMAL(20, 0)) AS size, nullif(get(column, 3), '-') AS mtime, nullif(get(column, 4), '-') AS id
FROM (SELECT split(value, '\t') AS column FROM lines)
WHERE coalesce(get(column, 7), '-') NOT IN ('missing', 'changed', 'rotten', 'unreadable');
UNCACHE TABLE IF EXISTS rows;
DROP VIEW IF EXISTS rows;
CACHE TABLE rows OPTIONS ('storageLevel' 'DISK_ONLY') AS SELECT * FROM read_rows;

-- Directories that are protected, each with a slash at its end.
CREATE OR REPLACE TEMPORARY VIEW protected AS
SELECT collect_set(dir) AS dirs FROM (
    SELECT concat(rtrim('/', normal(dir)), '/') AS dir
    FROM (SELECT explode(from_json(coalesce(nullif(r'${spark.mediastruct.protect}', ''), '[]'), 'array<string>')) AS dir)
    UNION ALL
    SELECT regexp_replace(name, r'\.ms-protect$', '') FROM rows WHERE name RLIKE r'(^|/)\.ms-protect$');

-- A path that is listed twice counts once, and not at all where its records disagree.
CREATE OR REPLACE TEMPORARY VIEW twice AS
SELECT name, count(DISTINCT size) > 1 OR count(DISTINCT hash) > 1 AS disagree
FROM rows GROUP BY name HAVING count(*) > 1;
CREATE OR REPLACE TEMPORARY VIEW listed AS
SELECT path, name, hash, size, mtime, id FROM rows LEFT ANTI JOIN twice USING (name)
UNION ALL
SELECT path, name, hash, size, mtime, id FROM (
    SELECT rows.*, row_number() OVER (PARTITION BY name ORDER BY
        hash DESC NULLS LAST, cast(mtime AS DECIMAL(38, 9)) DESC NULLS LAST,
        id IS NULL, nullif(regexp_extract(id, '^([^/]*)/', 1), '') DESC NULLS LAST,
        cast(nullif(regexp_extract(id, '([0-9]+):', 1), '') AS DECIMAL(20, 0)) DESC NULLS LAST,
        cast(nullif(regexp_extract(id, ':([0-9]+)$', 1), '') AS DECIMAL(20, 0)) DESC NULLS LAST,
        bytes_of(path)) AS place
    FROM rows JOIN twice USING (name) WHERE NOT disagree
) WHERE place = 1;

-- The quarantine, and where a path is on its host.
CREATE OR REPLACE TEMPORARY FUNCTION quarantine() RETURNS STRING
    RETURN rtrim('/', coalesce(nullif(r'${spark.mediastruct.quarantine}', ''), 'duplicates'));
CREATE OR REPLACE TEMPORARY FUNCTION here(name STRING) RETURNS STRING
    RETURN CASE WHEN is_located(name) THEN regexp_replace(name, '^[^:]*:', '') ELSE name END;
CREATE OR REPLACE TEMPORARY FUNCTION lies_in(name STRING, dir STRING) RETURNS BOOLEAN
    RETURN startswith(CASE WHEN startswith(dir, '/') THEN here(name) ELSE name END, concat(dir, '/'));
CREATE OR REPLACE TEMPORARY FUNCTION passes(name STRING, dir STRING) RETURNS BOOLEAN
    RETURN contains(concat('/', regexp_replace(here(name), '[^/]*$', '')), concat('/', regexp_extract(dir, '[^/]*$', 0), '/'));

-- What is not in the quarantine. A record without an id is a file of its own, and what lies below another directory that is
-- called like the quarantine, or duplicates, is kept only where there is nothing else.
UNCACHE TABLE IF EXISTS copies;
DROP VIEW IF EXISTS copies;
CACHE TABLE copies OPTIONS ('storageLevel' 'DISK_ONLY') AS
SELECT path, name, hash, size, mtime, id, coalesce(id, concat('#', name)) AS file, bytes_of(path) AS bytes,
    exists(dirs, dir ->
        startswith(name, dir) AND (dir <> '' OR NOT name RLIKE r'^/|^[a-z0-9][a-z0-9.-]*:/')) AS is_protected,
    passes(name, quarantine()) OR passes(name, 'duplicates') AS is_last
FROM listed CROSS JOIN protected WHERE NOT lies_in(name, quarantine());

-- Each file with the one of its names that stands for it: protected before others, then the smallest path, bytewise.
CREATE OR REPLACE TEMPORARY VIEW files AS
SELECT hash, size, file, best.bytes AS bytes, best.stands AS stands, is_protected, is_last FROM (
    SELECT hash, size, file, bool_or(is_protected) AS is_protected, bool_and(is_last) AS is_last,
        min(struct(NOT is_protected AS unprotected, NOT is_protected AND is_last AS last, bytes,
            struct(path, name, mtime, id) AS stands)) AS best
    FROM copies GROUP BY hash, size, file);

-- Of each content that several files have, the file that stays.
CREATE OR REPLACE TEMPORARY VIEW keepers AS
SELECT hash, size, best.file AS keeper, best.stands AS kept FROM (
    SELECT hash, size, min(struct(NOT is_protected AS unprotected, is_last, bytes, file, stands)) AS best
    FROM files WHERE hash IS NOT NULL AND size > 0 GROUP BY hash, size HAVING count(*) > 1);

-- All names of the others, unless one of them is protected.
UNCACHE TABLE IF EXISTS going;
DROP VIEW IF EXISTS going;
CACHE TABLE going OPTIONS ('storageLevel' 'DISK_ONLY') AS
SELECT path, name, hash, size, mtime, id, bytes, kept.path AS keep, kept.mtime AS keep_mtime, kept.id AS keep_id,
    CASE WHEN is_located(name) THEN 'on hosts' WHEN startswith(name, '/') THEN 'absolute' ELSE 'relative' END AS spelling
FROM copies JOIN keepers USING (hash, size)
LEFT ANTI JOIN (SELECT hash, size, file FROM copies WHERE is_protected) USING (hash, size, file)
WHERE file <> keeper;

SELECT raise_error('paths that climb with .., or of which some are absolute and some are not, could be sent to one place; ms-crawl -a makes paths absolute')
FROM (SELECT count(DISTINCT spelling) > 1 OR coalesce(bool_or(name RLIKE r'(^|/)\.\.(/|$)'), false) AS can_meet FROM going)
WHERE can_meet;

-- The quarantine is that of the host of each file; where its path is relative, the host is a directory in it.
CREATE OR REPLACE TEMPORARY FUNCTION destination(name STRING, dir STRING) RETURNS STRING RETURN
    CASE WHEN NOT is_located(name) THEN concat(dir, '/', regexp_replace(name, r'^(\./|/)', ''))
         WHEN startswith(dir, '/') THEN concat(regexp_extract(name, '^[^:]*:', 0), dir, here(name))
         ELSE concat(dir, '/', regexp_extract(name, '^([^:]*):', 1), here(name)) END;

INSERT OVERWRITE DIRECTORY '${spark.mediastruct.plan}' USING text
SELECT line FROM (
    SELECT bytes, concat_ws('\t', path, hash, cast(size AS STRING), coalesce(mtime, '-'), coalesce(id, '-'),
        destination(name, quarantine()), keep,
        coalesce(nullif(concat('keep', coalesce(concat(' mtime=', keep_mtime), ''), coalesce(concat(' id=', keep_id), '')),
            'keep'), '-')) AS line
    FROM going) ORDER BY bytes;
DROP VIEW going;
DROP VIEW copies;
DROP VIEW rows;
