-- The user tables as Airflow 3.3 with the FAB provider makes them on SQLite.
CREATE TABLE ab_user (
    id INTEGER NOT NULL,
    first_name VARCHAR(256) NOT NULL,
    last_name VARCHAR(256) NOT NULL,
    username VARCHAR(512) COLLATE "NOCASE" NOT NULL,
    password VARCHAR(256),
    active BOOLEAN,
    email VARCHAR(512) NOT NULL,
    last_login DATETIME,
    login_count INTEGER,
    fail_login_count INTEGER,
    created_on DATETIME,
    changed_on DATETIME,
    created_by_fk INTEGER,
    changed_by_fk INTEGER,
    PRIMARY KEY (id),
    UNIQUE (username),
    UNIQUE (email),
    FOREIGN KEY(created_by_fk) REFERENCES ab_user (id),
    FOREIGN KEY(changed_by_fk) REFERENCES ab_user (id)
);
CREATE TABLE ab_role (id INTEGER NOT NULL, name VARCHAR(64) NOT NULL, PRIMARY KEY (id), UNIQUE (name));
CREATE TABLE ab_user_role (
    id INTEGER NOT NULL, user_id INTEGER, role_id INTEGER, PRIMARY KEY (id), UNIQUE (user_id, role_id),
    FOREIGN KEY(user_id) REFERENCES ab_user (id) ON DELETE CASCADE,
    FOREIGN KEY(role_id) REFERENCES ab_role (id) ON DELETE CASCADE
);
CREATE TABLE ab_group (
    id INTEGER NOT NULL, name VARCHAR(100) NOT NULL, label VARCHAR(150), description VARCHAR(512),
    PRIMARY KEY (id), UNIQUE (name)
);
CREATE TABLE ab_user_group (
    id INTEGER NOT NULL, user_id INTEGER, group_id INTEGER, PRIMARY KEY (id), UNIQUE (user_id, group_id),
    FOREIGN KEY(user_id) REFERENCES ab_user (id) ON DELETE CASCADE,
    FOREIGN KEY(group_id) REFERENCES ab_group (id) ON DELETE CASCADE
);
CREATE TABLE ab_group_role (
    id INTEGER NOT NULL, group_id INTEGER, role_id INTEGER, PRIMARY KEY (id), UNIQUE (group_id, role_id),
    FOREIGN KEY(group_id) REFERENCES ab_group (id) ON DELETE CASCADE,
    FOREIGN KEY(role_id) REFERENCES ab_role (id) ON DELETE CASCADE
);
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
INSERT INTO ab_role (id, name) VALUES (1, 'Admin'), (2, 'Public'), (3, 'Viewer'), (4, 'User'), (5, 'Op');
