-- The user tables as Airflow 3.3 with the FAB provider makes them on PostgreSQL. A sequence
-- may belong to its column (SERIAL) or only lie beside it: one of each.
CREATE SEQUENCE ab_user_id_seq START 100;
CREATE TABLE ab_user (
    id INTEGER NOT NULL PRIMARY KEY,
    first_name VARCHAR(256) NOT NULL,
    last_name VARCHAR(256) NOT NULL,
    username VARCHAR(512) NOT NULL UNIQUE,
    password VARCHAR(256),
    active BOOLEAN,
    email VARCHAR(512) NOT NULL UNIQUE,
    last_login TIMESTAMP WITHOUT TIME ZONE,
    login_count INTEGER,
    fail_login_count INTEGER,
    created_on TIMESTAMP WITHOUT TIME ZONE,
    changed_on TIMESTAMP WITHOUT TIME ZONE,
    created_by_fk INTEGER REFERENCES ab_user (id),
    changed_by_fk INTEGER REFERENCES ab_user (id)
);
CREATE UNIQUE INDEX idx_ab_user_username ON ab_user (lower(username));
CREATE TABLE ab_role (id SERIAL PRIMARY KEY, name VARCHAR(64) NOT NULL UNIQUE);
CREATE TABLE ab_user_role (
    id SERIAL PRIMARY KEY,
    user_id INTEGER REFERENCES ab_user (id) ON DELETE CASCADE,
    role_id INTEGER REFERENCES ab_role (id) ON DELETE CASCADE,
    UNIQUE (user_id, role_id)
);
CREATE TABLE ab_group (
    id SERIAL PRIMARY KEY, name VARCHAR(100) NOT NULL UNIQUE, label VARCHAR(150), description VARCHAR(512)
);
CREATE TABLE ab_user_group (
    id SERIAL PRIMARY KEY,
    user_id INTEGER REFERENCES ab_user (id) ON DELETE CASCADE,
    group_id INTEGER REFERENCES ab_group (id) ON DELETE CASCADE,
    UNIQUE (user_id, group_id)
);
CREATE TABLE ab_group_role (
    id SERIAL PRIMARY KEY,
    group_id INTEGER REFERENCES ab_group (id) ON DELETE CASCADE,
    role_id INTEGER REFERENCES ab_role (id) ON DELETE CASCADE,
    UNIQUE (group_id, role_id)
);
INSERT INTO ab_role (id, name) VALUES (1, 'Admin'), (2, 'Public'), (3, 'Viewer'), (4, 'User'), (5, 'Op');
