-- Flask-AppBuilder's tables of users, roles and groups, as Airflow creates them on SQLite.
CREATE TABLE ab_user (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- an id is a token's `sub`: never given twice
    first_name VARCHAR(256) NOT NULL,
    last_name VARCHAR(256) NOT NULL,
    username VARCHAR(512) COLLATE NOCASE NOT NULL UNIQUE,
    password VARCHAR(256),
    active BOOLEAN,
    email VARCHAR(512) NOT NULL UNIQUE,
    last_login DATETIME,
    login_count INTEGER,
    fail_login_count INTEGER,
    created_on DATETIME,
    changed_on DATETIME,
    created_by_fk INTEGER REFERENCES ab_user (id),
    changed_by_fk INTEGER REFERENCES ab_user (id)
);
CREATE TABLE ab_role (
    id INTEGER PRIMARY KEY,
    name VARCHAR(64) NOT NULL UNIQUE
);
CREATE TABLE ab_user_role (
    id INTEGER PRIMARY KEY,
    user_id INTEGER REFERENCES ab_user (id) ON DELETE CASCADE,
    role_id INTEGER REFERENCES ab_role (id) ON DELETE CASCADE,
    UNIQUE (user_id, role_id)
);
CREATE TABLE ab_group (
    id INTEGER PRIMARY KEY,
    name VARCHAR(100) NOT NULL UNIQUE,
    label VARCHAR(150),
    description VARCHAR(512)
);
CREATE TABLE ab_user_group (
    id INTEGER PRIMARY KEY,
    user_id INTEGER REFERENCES ab_user (id) ON DELETE CASCADE,
    group_id INTEGER REFERENCES ab_group (id) ON DELETE CASCADE,
    UNIQUE (user_id, group_id)
);
CREATE TABLE ab_group_role (
    id INTEGER PRIMARY KEY,
    group_id INTEGER REFERENCES ab_group (id) ON DELETE CASCADE,
    role_id INTEGER REFERENCES ab_role (id) ON DELETE CASCADE,
    UNIQUE (group_id, role_id)
);
INSERT INTO ab_role (id, name)
VALUES (1, 'Admin'), (2, 'Public'), (3, 'Viewer'), (4, 'User'), (5, 'Op');
