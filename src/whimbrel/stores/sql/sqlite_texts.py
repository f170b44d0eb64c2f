"""The statements of the store in SQLite's dialect. Generated: `python -m whimbrel.stores.sql.generate`.

Knows: nothing. What each statement is for stands in `statements.py` and `texts.py`.
"""

from __future__ import annotations

from whimbrel.stores.sql.texts import Texts

SCHEMA = (
    """
        CREATE TABLE access ( kind VARCHAR(64) NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, body BLOB
        NOT NULL, expires_at DOUBLE NOT NULL, PRIMARY KEY (kind, id) )""",
    """
        CREATE TABLE audit ( id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, at DOUBLE NOT NULL, principal
        TEXT NOT NULL, action TEXT NOT NULL, place TEXT NOT NULL, target TEXT NOT NULL, outcome TEXT NOT
        NULL, address TEXT NOT NULL )""",
    """
        CREATE TABLE cache ( "key" VARCHAR(64) NOT NULL, task TEXT NOT NULL, version TEXT NOT NULL,
        interface VARCHAR(64) NOT NULL, inputs TEXT NOT NULL, outputs BLOB NOT NULL, run VARCHAR(64) NOT
        NULL, path TEXT NOT NULL, at DOUBLE NOT NULL, PRIMARY KEY ("key") )""",
    """
        CREATE TABLE decks ( run VARCHAR(64) NOT NULL, path TEXT NOT NULL, number BIGINT NOT NULL, name TEXT
        NOT NULL, place BIGINT NOT NULL, html TEXT NOT NULL, uri TEXT NOT NULL, at DOUBLE NOT NULL, PRIMARY
        KEY (run, path, number, name) )""",
    """
        CREATE TABLE entities ( kind VARCHAR(64) NOT NULL, project TEXT NOT NULL, domain TEXT NOT NULL, name
        TEXT NOT NULL, version TEXT NOT NULL, message BLOB NOT NULL, model BLOB NOT NULL, state VARCHAR(64)
        NOT NULL, created_at DOUBLE NOT NULL, updated_at DOUBLE NOT NULL, PRIMARY KEY (kind, project,
        domain, name, version) )""",
    """
        CREATE TABLE firings ( project TEXT NOT NULL, domain TEXT NOT NULL, name TEXT NOT NULL, due DOUBLE
        NOT NULL, version TEXT NOT NULL, execution TEXT NOT NULL, run VARCHAR(64) NOT NULL, outcome
        VARCHAR(64) NOT NULL, at DOUBLE NOT NULL, detail TEXT NOT NULL, backfill VARCHAR(64) NOT NULL,
        PRIMARY KEY (project, domain, name, due) )""",
    """
        CREATE TABLE logs ( id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, run VARCHAR(64) NOT NULL, path
        TEXT NOT NULL, number BIGINT NOT NULL, stream VARCHAR(64) NOT NULL, text TEXT NOT NULL, at DOUBLE
        NOT NULL, level VARCHAR(64) DEFAULT '' NOT NULL )""",
    """
        CREATE TABLE progress ( run VARCHAR(64) NOT NULL, path TEXT NOT NULL, number BIGINT NOT NULL, done
        DOUBLE NOT NULL, total DOUBLE NOT NULL, message TEXT NOT NULL, at DOUBLE NOT NULL, PRIMARY KEY (run,
        path, number) )""",
    """
        CREATE TABLE reservations ( "key" VARCHAR(64) NOT NULL, holder TEXT NOT NULL, until DOUBLE NOT NULL,
        PRIMARY KEY ("key") )""",
    """
        CREATE TABLE run_labels ( "key" TEXT NOT NULL, value TEXT NOT NULL, created_at DOUBLE NOT NULL, run
        VARCHAR(64) NOT NULL, PRIMARY KEY ("key", value, created_at, run) ) WITHOUT ROWID""",
    """
        CREATE TABLE runs ( id VARCHAR(64) NOT NULL, entity TEXT NOT NULL, phase VARCHAR(64) NOT NULL,
        created_at DOUBLE NOT NULL, started_at DOUBLE NOT NULL, ended_at DOUBLE NOT NULL, epoch BIGINT NOT
        NULL, owner TEXT NOT NULL, source TEXT NOT NULL, message TEXT NOT NULL, next_seq BIGINT NOT NULL,
        wake_at DOUBLE DEFAULT (0.0) NOT NULL, project TEXT DEFAULT '' NOT NULL, domain TEXT DEFAULT '' NOT
        NULL, name TEXT DEFAULT '' NOT NULL, kind TEXT DEFAULT '' NOT NULL, target TEXT DEFAULT '' NOT NULL,
        version TEXT DEFAULT '' NOT NULL, labels TEXT DEFAULT '' NOT NULL, short TEXT DEFAULT '' NOT NULL,
        search TEXT DEFAULT '' NOT NULL, principal TEXT DEFAULT '' NOT NULL, cause TEXT DEFAULT '' NOT NULL,
        parent TEXT DEFAULT '' NOT NULL, waiting BIGINT DEFAULT 0 NOT NULL, nodes BIGINT DEFAULT 0 NOT NULL,
        done BIGINT DEFAULT 0 NOT NULL, PRIMARY KEY (id) ) WITHOUT ROWID""",
    """
        CREATE TABLE schedules ( project TEXT NOT NULL, domain TEXT NOT NULL, name TEXT NOT NULL, version
        TEXT NOT NULL, activated_at DOUBLE NOT NULL, decided_at DOUBLE NOT NULL, PRIMARY KEY (project,
        domain, name) )""",
    """
        CREATE TABLE events ( run VARCHAR(64) NOT NULL, seq BIGINT NOT NULL, kind VARCHAR(64) NOT NULL, at
        DOUBLE NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (run, seq), FOREIGN KEY(run) REFERENCES runs
        (id) ) WITHOUT ROWID""",
    """
        CREATE TABLE inbox ( id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, run VARCHAR(64) NOT NULL,
        request VARCHAR(64) NOT NULL, detail TEXT NOT NULL, at DOUBLE NOT NULL, FOREIGN KEY(run) REFERENCES
        runs (id) )""",
    """CREATE INDEX access_by_owner ON access (kind, owner)""",
    """CREATE INDEX cache_by_task ON cache (task, at)""",
    """CREATE INDEX entities_by_age ON entities (kind, project, domain, created_at)""",
    """CREATE INDEX inbox_by_run ON inbox (run, id)""",
    """CREATE INDEX logs_by_run ON logs (run, id)""",
    """CREATE INDEX runs_by_age ON runs (created_at, id)""",
    """CREATE INDEX runs_by_entity ON runs (short, phase, created_at, id)""",
    """CREATE INDEX runs_by_phase ON runs (phase, created_at, id)""",
    """CREATE INDEX runs_by_place ON runs (project, domain, created_at, id)""",
    """CREATE INDEX runs_by_place_and_phase ON runs (project, domain, phase, created_at, id)""",
    """CREATE INDEX runs_by_waiting ON runs (created_at, id) WHERE waiting > 0""",
    """CREATE INDEX runs_by_waking ON runs (wake_at, id) WHERE wake_at > 0.0""",
)

STATEMENTS = Texts(
    schema=SCHEMA,
    add_run="""
        INSERT INTO runs (id, entity, phase, created_at, started_at, ended_at, epoch, owner, source,
        message, next_seq, wake_at, project, domain, name, kind, target, version, labels, short, search,
        principal, cause, parent, waiting, nodes, done) SELECT :id AS anon_1, :entity AS anon_2, :phase AS
        anon_3, :created_at AS anon_4, :started_at AS anon_5, :ended_at AS anon_6, :epoch AS anon_7, :owner
        AS anon_8, :source AS anon_9, :message AS anon_10, :next_seq AS anon_11, :wake_at AS anon_12,
        :project AS anon_13, :domain AS anon_14, :name AS anon_15, :kind AS anon_16, :target AS anon_17,
        :version AS anon_18, :labels AS anon_19, :short AS anon_20, :search AS anon_21, :principal AS
        anon_22, :cause AS anon_23, :parent AS anon_24, :waiting AS anon_25, :nodes AS anon_26, :done AS
        anon_27 WHERE NOT (EXISTS (SELECT * FROM runs WHERE runs.id = :id))""",
    add_label="""INSERT INTO run_labels ("key", value, created_at, run) VALUES (:key, :value, :created_at, :run)""",
    runs="""
        SELECT runs.id, runs.entity, runs.phase, runs.created_at, runs.started_at, runs.ended_at,
        runs.epoch, runs.owner, runs.source, runs.message, runs.wake_at, runs.project, runs.domain,
        runs.name, runs.kind, runs.target, runs.version, runs.labels, runs.principal, runs.cause,
        runs.parent, runs.waiting, runs.nodes, runs.done FROM runs""",
    run_exists="""SELECT 1 FROM runs WHERE runs.id = :run""",
    claim_run="""UPDATE runs SET epoch=(runs.epoch + 1), owner=:owner WHERE runs.id = :run""",
    advance_run="""
        UPDATE runs SET next_seq=:next WHERE runs.id = :run AND runs.epoch = :at_epoch AND runs.next_seq =
        :first""",
    advance_run_and_summary="""
        UPDATE runs SET entity=:entity, phase=:phase, started_at=:started_at, ended_at=:ended_at,
        owner=:owner, source=:source, message=:message, next_seq=:next, wake_at=:wake_at, short=:short,
        search=:search, waiting=:waiting, nodes=:nodes, done=:done WHERE runs.id = :run AND runs.epoch =
        :at_epoch AND runs.next_seq = :first""",
    summary="""
        SELECT runs.id, runs.entity, runs.phase, runs.created_at, runs.started_at, runs.ended_at,
        runs.epoch, runs.owner, runs.source, runs.message, runs.wake_at, runs.project, runs.domain,
        runs.name, runs.kind, runs.target, runs.version, runs.labels, runs.principal, runs.cause,
        runs.parent, runs.waiting, runs.nodes, runs.done FROM runs WHERE runs.id = :run""",
    fence="""SELECT runs.epoch, runs.owner, runs.next_seq FROM runs WHERE runs.id = :run""",
    add_event="""INSERT INTO events (run, seq, kind, at, payload) VALUES (:run, :seq, :kind, :at, :payload)""",
    events="""
        SELECT events.payload FROM events WHERE events.run = :run AND events.seq > :after ORDER BY
        events.seq""",
    newest="""
        SELECT runs.id, runs.entity, runs.phase, runs.created_at, runs.started_at, runs.ended_at,
        runs.epoch, runs.owner, runs.source, runs.message, runs.wake_at, runs.project, runs.domain,
        runs.name, runs.kind, runs.target, runs.version, runs.labels, runs.principal, runs.cause,
        runs.parent, runs.waiting, runs.nodes, runs.done FROM runs ORDER BY runs.created_at DESC, runs.id
        DESC LIMIT :limit OFFSET 0""",
    newest_before="""
        SELECT runs.id, runs.entity, runs.phase, runs.created_at, runs.started_at, runs.ended_at,
        runs.epoch, runs.owner, runs.source, runs.message, runs.wake_at, runs.project, runs.domain,
        runs.name, runs.kind, runs.target, runs.version, runs.labels, runs.principal, runs.cause,
        runs.parent, runs.waiting, runs.nodes, runs.done FROM runs WHERE (runs.created_at, runs.id) <
        (:created_at, :before) ORDER BY runs.created_at DESC, runs.id DESC LIMIT :limit OFFSET 0""",
    newest_of_phase="""
        SELECT runs.id, runs.entity, runs.phase, runs.created_at, runs.started_at, runs.ended_at,
        runs.epoch, runs.owner, runs.source, runs.message, runs.wake_at, runs.project, runs.domain,
        runs.name, runs.kind, runs.target, runs.version, runs.labels, runs.principal, runs.cause,
        runs.parent, runs.waiting, runs.nodes, runs.done FROM runs WHERE runs.phase = :phase ORDER BY
        runs.created_at DESC, runs.id DESC LIMIT :limit OFFSET 0""",
    newest_of_phase_before="""
        SELECT runs.id, runs.entity, runs.phase, runs.created_at, runs.started_at, runs.ended_at,
        runs.epoch, runs.owner, runs.source, runs.message, runs.wake_at, runs.project, runs.domain,
        runs.name, runs.kind, runs.target, runs.version, runs.labels, runs.principal, runs.cause,
        runs.parent, runs.waiting, runs.nodes, runs.done FROM runs WHERE runs.phase = :phase AND
        (runs.created_at, runs.id) < (:created_at, :before) ORDER BY runs.created_at DESC, runs.id DESC
        LIMIT :limit OFFSET 0""",
    phase_counts="""SELECT runs.phase, count(*) AS count_1 FROM runs GROUP BY runs.phase""",
    parked="""
        SELECT runs.id, runs.entity, runs.phase, runs.created_at, runs.started_at, runs.ended_at,
        runs.epoch, runs.owner, runs.source, runs.message, runs.wake_at, runs.project, runs.domain,
        runs.name, runs.kind, runs.target, runs.version, runs.labels, runs.principal, runs.cause,
        runs.parent, runs.waiting, runs.nodes, runs.done FROM runs WHERE runs.wake_at > 0.0 ORDER BY
        runs.wake_at, runs.id LIMIT :limit OFFSET 0""",
    cached="""SELECT cache.outputs, cache.run, cache.path, cache.at FROM cache WHERE cache."key" = :key""",
    candidates="""
        SELECT cache.version, cache.interface, cache.inputs, cache.run, cache.path FROM cache WHERE
        cache.task = :task ORDER BY CASE WHEN (cache.version = :version) THEN 0 ELSE 1 END, CASE WHEN
        (cache.interface = :interface) THEN 0 ELSE 1 END, cache.at DESC LIMIT :limit OFFSET 0""",
    drop_older="""DELETE FROM cache WHERE cache."key" = :key AND cache.at <= :at""",
    clear_cache="""DELETE FROM cache""",
    add_cached="""
        INSERT INTO cache ("key", task, version, interface, inputs, outputs, run, path, at) SELECT :key AS
        anon_1, :task AS anon_2, :version AS anon_3, :interface AS anon_4, :inputs AS anon_5, :outputs AS
        anon_6, :run AS anon_7, :path AS anon_8, :at AS anon_9 WHERE NOT (EXISTS (SELECT * FROM cache WHERE
        cache."key" = :key))""",
    extend_reservation="""
        UPDATE reservations SET holder=:holder, until=:new_until WHERE reservations."key" = :key AND
        (reservations.holder = :holder OR reservations.until < :now)""",
    add_reservation="""
        INSERT INTO reservations ("key", holder, until) SELECT :key AS anon_1, :holder AS anon_2, :until AS
        anon_3 WHERE NOT (EXISTS (SELECT * FROM reservations WHERE reservations."key" = :key))""",
    end_reservation="""DELETE FROM reservations WHERE reservations."key" = :key""",
    release="""DELETE FROM reservations WHERE reservations."key" = :key AND reservations.holder = :holder""",
    add_log="""
        INSERT INTO logs (run, path, number, stream, text, at, level) VALUES (:run, :path, :number, :stream,
        :text, :at, :level)""",
    logs="""
        SELECT logs.id, logs.run, logs.path, logs.number, logs.stream, logs.text, logs.at, logs.level FROM
        logs WHERE logs.run = :run AND logs.id > :after ORDER BY logs.id LIMIT :limit OFFSET 0""",
    logs_below="""
        SELECT logs.id, logs.run, logs.path, logs.number, logs.stream, logs.text, logs.at, logs.level FROM
        logs WHERE logs.run = :run AND logs.id > :after AND (logs.path = :path OR substr(logs.path, 1,
        :length) = :below) ORDER BY logs.id LIMIT :limit OFFSET 0""",
    drop_deck="""
        DELETE FROM decks WHERE decks.run = :run AND decks.path = :path AND decks.number = :number AND
        decks.name = :name""",
    add_deck="""
        INSERT INTO decks (run, path, number, name, place, html, uri, at) VALUES (:run, :path, :number,
        :name, :place, :html, :uri, :at)""",
    decks="""
        SELECT decks.run, decks.path, decks.number, decks.name, decks.place, decks.html, decks.uri, decks.at
        FROM decks WHERE decks.run = :run ORDER BY decks.path, decks.number, decks.place, decks.name""",
    decks_below="""
        SELECT decks.run, decks.path, decks.number, decks.name, decks.place, decks.html, decks.uri, decks.at
        FROM decks WHERE decks.run = :run AND (decks.path = :path OR substr(decks.path, 1, :length) =
        :below) ORDER BY decks.path, decks.number, decks.place, decks.name""",
    decked="""SELECT DISTINCT decks.path FROM decks WHERE decks.run = :run ORDER BY decks.path""",
    drop_progress="""
        DELETE FROM progress WHERE progress.run = :run AND progress.path = :path AND progress.number =
        :number""",
    add_progress="""
        INSERT INTO progress (run, path, number, done, total, message, at) VALUES (:run, :path, :number,
        :done, :total, :message, :at)""",
    progress="""
        SELECT progress.run, progress.path, progress.number, progress.done, progress.total,
        progress.message, progress.at FROM progress WHERE progress.run = :run ORDER BY progress.path,
        progress.number""",
    send="""
        INSERT INTO inbox (run, request, detail, at) SELECT :run AS anon_1, :request AS anon_2, :detail AS
        anon_3, :at AS anon_4 WHERE EXISTS (SELECT * FROM runs WHERE runs.id = :run)""",
    addressed="""SELECT DISTINCT inbox.run FROM inbox ORDER BY inbox.run""",
    requests="""
        SELECT inbox.id, inbox.request, inbox.detail, inbox.at FROM inbox WHERE inbox.run = :run ORDER BY
        inbox.id""",
    drop_request="""DELETE FROM inbox WHERE inbox.run = :run AND inbox.id = :id""",
    add_entity="""
        INSERT INTO entities (kind, project, domain, name, version, message, model, state, created_at,
        updated_at) SELECT :kind AS anon_1, :project AS anon_2, :domain AS anon_3, :name AS anon_4, :version
        AS anon_5, :message AS anon_6, :model AS anon_7, :state AS anon_8, :created_at AS anon_9,
        :updated_at AS anon_10 WHERE NOT (EXISTS (SELECT * FROM entities WHERE entities.kind = :kind AND
        entities.project = :project AND entities.domain = :domain AND entities.name = :name AND
        entities.version = :version))""",
    entity="""
        SELECT entities.kind, entities.project, entities.domain, entities.name, entities.version,
        entities.message, entities.model, entities.state, entities.created_at, entities.updated_at FROM
        entities WHERE entities.kind = :kind AND entities.project = :project AND entities.domain = :domain
        AND entities.name = :name AND entities.version = :version""",
    entities="""
        SELECT entities.kind, entities.project, entities.domain, entities.name, entities.version,
        entities.message, entities.model, entities.state, entities.created_at, entities.updated_at FROM
        entities WHERE entities.kind = :kind""",
    entity_names="""
        SELECT DISTINCT entities.name FROM entities WHERE entities.kind = :kind AND (:project = '' OR
        entities.project = :project) AND (:domain = '' OR entities.domain = :domain) ORDER BY entities.name
        LIMIT :limit OFFSET :offset""",
    drop_entity="""
        DELETE FROM entities WHERE entities.kind = :kind AND entities.project = :project AND entities.domain
        = :domain AND entities.name = :name AND entities.version = :version""",
    set_entity_state="""
        UPDATE entities SET state=:new_state, updated_at=:at WHERE entities.kind = :kind AND
        entities.project = :project AND entities.domain = :domain AND entities.name = :name AND
        entities.version = :version""",
    retire_entities="""
        UPDATE entities SET state=:alone, updated_at=:at WHERE entities.kind = :kind AND entities.project =
        :project AND entities.domain = :domain AND entities.name = :name AND entities.version != :version
        AND entities.state = :new_state""",
    add_access="""
        INSERT INTO access (kind, id, owner, body, expires_at) SELECT :kind AS anon_1, :id AS anon_2, :owner
        AS anon_3, :body AS anon_4, :expires_at AS anon_5 WHERE NOT (EXISTS (SELECT * FROM access WHERE
        access.kind = :kind AND access.id = :id))""",
    access="""
        SELECT access.kind, access.id, access.owner, access.body, access.expires_at FROM access WHERE
        access.kind = :kind AND access.id = :id""",
    accesses="""
        SELECT access.kind, access.id, access.owner, access.body, access.expires_at FROM access WHERE
        access.kind = :kind ORDER BY access.id""",
    accesses_of="""
        SELECT access.kind, access.id, access.owner, access.body, access.expires_at FROM access WHERE
        access.kind = :kind AND access.owner = :owner ORDER BY access.id""",
    set_access="""
        UPDATE access SET owner=:new_owner, body=:new_body, expires_at=:new_expires_at WHERE access.kind =
        :kind AND access.id = :id""",
    swap_access="""
        UPDATE access SET owner=:new_owner, body=:new_body, expires_at=:new_expires_at WHERE access.kind =
        :kind AND access.id = :id AND access.body = :was""",
    drop_access="""DELETE FROM access WHERE access.kind = :kind AND access.id = :id""",
    expire_access="""DELETE FROM access WHERE access.expires_at > 0.0 AND access.expires_at <= :now""",
    add_audit="""
        INSERT INTO audit (at, principal, action, place, target, outcome, address) VALUES (:at, :principal,
        :action, :place, :target, :outcome, :address)""",
    audited="""
        SELECT audit.id, audit.at, audit.principal, audit.action, audit.place, audit.target, audit.outcome,
        audit.address FROM audit WHERE (:before = 0 OR audit.id < :before) AND audit.at >= :since AND
        (:principal = '' OR audit.principal = :principal) AND (:action = '' OR audit.action = :action) ORDER
        BY audit.id DESC LIMIT :limit OFFSET 0""",
    mark="""
        SELECT schedules.version, schedules.activated_at, schedules.decided_at FROM schedules WHERE
        schedules.project = :project AND schedules.domain = :domain AND schedules.name = :name""",
    add_mark="""
        INSERT INTO schedules (project, domain, name, version, activated_at, decided_at) SELECT :project AS
        anon_1, :domain AS anon_2, :name AS anon_3, :version AS anon_4, :activated_at AS anon_5, :decided_at
        AS anon_6 WHERE NOT (EXISTS (SELECT * FROM schedules WHERE schedules.project = :project AND
        schedules.domain = :domain AND schedules.name = :name))""",
    move_mark="""
        UPDATE schedules SET version=:version, activated_at=:activated_at, decided_at=:decided_at WHERE
        schedules.project = :project AND schedules.domain = :domain AND schedules.name = :name AND
        schedules.version = :known_version AND schedules.activated_at = :known_activation AND
        schedules.decided_at = :known_decision""",
    drop_firing="""
        DELETE FROM firings WHERE firings.project = :project AND firings.domain = :domain AND firings.name =
        :name AND firings.due = :due AND firings.outcome != :final""",
    add_firing="""
        INSERT INTO firings (project, domain, name, due, version, execution, run, outcome, at, detail,
        backfill) SELECT :project AS anon_1, :domain AS anon_2, :name AS anon_3, :due AS anon_4, :version AS
        anon_5, :execution AS anon_6, :run AS anon_7, :outcome AS anon_8, :at AS anon_9, :detail AS anon_10,
        :backfill AS anon_11 WHERE NOT (EXISTS (SELECT * FROM firings WHERE firings.project = :project AND
        firings.domain = :domain AND firings.name = :name AND firings.due = :due))""",
    firings="""
        SELECT firings.due, firings.version, firings.execution, firings.run, firings.outcome, firings.at,
        firings.detail, firings.backfill FROM firings WHERE firings.project = :project AND firings.domain =
        :domain AND firings.name = :name AND firings.due < :before ORDER BY firings.due DESC LIMIT :limit
        OFFSET 0""",
    gaps="""
        SELECT runs.id, runs.next_seq, count(events.seq) AS count_1 FROM runs LEFT OUTER JOIN events ON
        events.run = runs.id GROUP BY runs.id, runs.next_seq HAVING count(events.seq) != runs.next_seq - 1
        OR coalesce(max(events.seq), 0) != runs.next_seq - 1""",
)
