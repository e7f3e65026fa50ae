-- What ms-dupes --unique(1) writes, as DuckDB finds it: one record of each content that has no protected copy, which is what is
-- not archived yet where the archive is protected. Byte for byte the same.
--
--     duckdb -c "SET VARIABLE index = 'hosts/*.tsv'" \
--            -c "SET VARIABLE protect = ['nas:/Archive']" \
--            -f unique.duckdb.sql
--
-- What can be set beforehand, what that does, and where it ends, stands in dupes.duckdb.sql. Records without a hash, and
-- empty files, are contents of their own.

SET VARIABLE index = coalesce(getvariable('index'), 'index.tsv');
SET VARIABLE plan = coalesce(getvariable('plan'), 'plan.tsv');
SET VARIABLE quarantine = rtrim(coalesce(getvariable('quarantine'), 'duplicates'), '/');
SET VARIABLE protect = coalesce(getvariable('protect'), []::VARCHAR[]);

-- The bytes of a path, by which paths are ordered: \\ \t \n \r \xHH stand for one byte each.
CREATE OR REPLACE TEMP MACRO unescape_part(part) AS
    CASE part[1]
        WHEN 'x' THEN part[2:3] || hex(encode(replace(part[4:], chr(1), '\')))
        WHEN 't' THEN '09' || hex(encode(replace(part[2:], chr(1), '\')))
        WHEN 'n' THEN '0A' || hex(encode(replace(part[2:], chr(1), '\')))
        ELSE '0D' || hex(encode(replace(part[2:], chr(1), '\')))
    END;
-- No stream holds the control character 1, which stands for an escaped backslash meanwhile.
CREATE OR REPLACE TEMP MACRO bytes_of(path) AS
    CASE WHEN contains(path, '\') THEN
        unhex(array_to_string(list_transform(
            string_split(replace(path, '\\', chr(1)), '\'),
            lambda part, place: CASE place WHEN 1 THEN hex(encode(replace(part, chr(1), '\'))) ELSE unescape_part(part) END
        ), ''))
    ELSE encode(path) END;

-- Without . and doubled slashes; but ./nas:/x is another file than nas:/x.
CREATE OR REPLACE TEMP MACRO is_located(path) AS regexp_matches(path, '^[a-z0-9][a-z0-9.-]*:/');
CREATE OR REPLACE TEMP MACRO squeezed(path) AS
    regexp_replace(regexp_replace(regexp_replace(path, '/+', '/', 'g'), '(^|/)(\./)+', '\1', 'g'), '(.)/\.?$', '\1');
CREATE OR REPLACE TEMP MACRO normal(path) AS
    CASE WHEN NOT regexp_matches(path, '^\./|//|/\./|/\.?$') THEN path
         WHEN is_located(squeezed(path)) AND NOT is_located(path) THEN './' || squeezed(path)
         ELSE squeezed(path) END;

-- An id as numbers, which order it.
CREATE OR REPLACE TEMP MACRO id_order(id) AS {
    'host': nullif(regexp_extract(id, '^([^/]*)/', 1), ''),
    'dev': regexp_extract(id, '([0-9]+):', 1)::UBIGINT,
    'ino': regexp_extract(id, ':([0-9]+)$', 1)::UBIGINT};

-- Every row once, but for those that ms-verify --failed has let fall.
CREATE OR REPLACE TEMP TABLE rows AS
SELECT row_number() OVER () AS number, path, normal(path) AS name, hash, size, mtime, id
FROM read_csv(getvariable('index'), delim = '\t', header = false, quote = '', escape = '', nullstr = '-',
    auto_detect = false, null_padding = true, columns = {
        'path': 'VARCHAR', 'hash': 'VARCHAR', 'size': 'UBIGINT', 'mtime': 'VARCHAR', 'id': 'VARCHAR',
        'dest': 'VARCHAR', 'keep': 'VARCHAR', 'note': 'VARCHAR'})
WHERE note IS NULL OR note NOT IN ('missing', 'changed', 'rotten', 'unreadable');

-- Directories that are protected, each with a slash at its end.
CREATE OR REPLACE TEMP TABLE protected AS
SELECT DISTINCT dir FROM (
    SELECT rtrim(normal(unnest(getvariable('protect'))), '/') || '/' AS dir
    UNION ALL
    SELECT regexp_replace(name, '\.ms-protect$', '') FROM rows WHERE regexp_matches(name, '(^|/)\.ms-protect$'));

-- A path that is listed twice counts once, and not at all where its records disagree.
CREATE OR REPLACE TEMP TABLE listed AS
WITH twice AS (
    SELECT name, count(DISTINCT size) > 1 OR count(DISTINCT hash) > 1 AS disagree
    FROM rows GROUP BY name HAVING count(*) > 1
), ranked AS (
    SELECT rows.*, row_number() OVER (PARTITION BY name ORDER BY
        hash DESC NULLS LAST, mtime::DECIMAL(38, 9) DESC NULLS LAST,
        id IS NULL, id_order(id).host DESC NULLS LAST, id_order(id).dev DESC, id_order(id).ino DESC,
        bytes_of(path), number) AS place
    FROM rows JOIN twice USING (name) WHERE NOT disagree
)
SELECT number, path, name, hash, size, mtime, id FROM rows ANTI JOIN twice USING (name)
UNION ALL
SELECT number, path, name, hash, size, mtime, id FROM ranked WHERE place = 1;

-- Where a path is on its host, and whether a directory on the way is called like the quarantine.
CREATE OR REPLACE TEMP MACRO here(name) AS
    CASE WHEN is_located(name) THEN regexp_replace(name, '^[^:]*:', '') ELSE name END;
CREATE OR REPLACE TEMP MACRO lies_in(name, dir) AS
    starts_with(CASE WHEN dir[1] = '/' THEN here(name) ELSE name END, dir || '/');
CREATE OR REPLACE TEMP MACRO passes(name, dir) AS
    contains('/' || regexp_replace(here(name), '[^/]*$', ''), '/' || regexp_extract(dir, '[^/]*$') || '/');
-- By which the first of several copies or names is the one that stays.
CREATE OR REPLACE TEMP MACRO merit(is_protected, is_last, bytes) AS
    {'unprotected': NOT is_protected, 'last': is_last, 'bytes': bytes};

-- What is not in the quarantine. A record without an id is a file of its own, and what lies below another directory that is
-- called like the quarantine, or duplicates, is kept only where there is nothing else.
CREATE OR REPLACE TEMP TABLE copies AS
SELECT number, path, name, hash, size, mtime, id, coalesce(id, '#' || number) AS file, bytes_of(path) AS bytes,
    exists(SELECT 1 FROM protected
        WHERE starts_with(name, dir) OR dir = '' AND name[1] <> '/' AND NOT is_located(name)) AS is_protected,
    passes(name, getvariable('quarantine')) OR passes(name, 'duplicates') AS is_last
FROM listed WHERE NOT lies_in(name, getvariable('quarantine'));

-- Each file with the one of its names that stands for it.
CREATE OR REPLACE TEMP TABLE files AS
SELECT hash, size, file, bool_or(is_protected) AS is_protected, bool_and(is_last) AS is_last,
    min_by(number, merit(is_protected, NOT is_protected AND is_last, bytes)) AS number,
    min_by(bytes, merit(is_protected, NOT is_protected AND is_last, bytes)) AS bytes
FROM copies GROUP BY hash, size, file;

-- Of each content, the file that stands for it; where nothing tells contents from each other, each file.
CREATE OR REPLACE TEMP TABLE chosen AS
SELECT min_by(number, merit(is_protected, is_last, bytes)) AS number, bool_or(is_protected) AS is_protected
FROM files WHERE hash IS NOT NULL AND size > 0 GROUP BY hash, size
UNION ALL
SELECT number, is_protected FROM files WHERE hash IS NULL OR size = 0;

COPY (
    SELECT path, hash, size, mtime, id, NULL AS dest, NULL AS keep, NULL AS note
    FROM copies JOIN (SELECT number FROM chosen WHERE NOT is_protected) USING (number)
    ORDER BY bytes
) TO (getvariable('plan')) (FORMAT csv, DELIMITER '\t', HEADER false, NULLSTR '-', QUOTE '', ESCAPE '');
