-- The user tables as Airflow 3.3 with the FAB provider makes them on MySQL and MariaDB, in the
-- server's default collation, which folds case, accents and trailing blanks.
CREATE TABLE ab_user (
    id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY,
    first_name VARCHAR(256) NOT NULL,
    last_name VARCHAR(256) NOT NULL,
    username VARCHAR(512) NOT NULL UNIQUE,
    password VARCHAR(256),
    active BOOL,
    email VARCHAR(512) NOT NULL UNIQUE,
    last_login DATETIME(6),
    login_count INTEGER,
    fail_login_count INTEGER,
    created_on DATETIME,
    changed_on DATETIME,
    created_by_fk INTEGER REFERENCES ab_user (id),
    changed_by_fk INTEGER REFERENCES ab_user (id)
) AUTO_INCREMENT = 100;
CREATE TABLE ab_role (id INTEGER AUTO_INCREMENT PRIMARY KEY, name VARCHAR(64) NOT NULL UNIQUE);
CREATE TABLE ab_user_role (
    id INTEGER AUTO_INCREMENT PRIMARY KEY,
    user_id INTEGER, role_id INTEGER, UNIQUE (user_id, role_id),
    FOREIGN KEY (user_id) REFERENCES ab_user (id) ON DELETE CASCADE,
    FOREIGN KEY (role_id) REFERENCES ab_role (id) ON DELETE CASCADE
);
CREATE TABLE ab_group (
    id INTEGER AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) NOT NULL UNIQUE, label VARCHAR(150), description VARCHAR(512)
);
CREATE TABLE ab_user_group (
    id INTEGER AUTO_INCREMENT PRIMARY KEY,
    user_id INTEGER, group_id INTEGER, UNIQUE (user_id, group_id),
    FOREIGN KEY (user_id) REFERENCES ab_user (id) ON DELETE CASCADE,
    FOREIGN KEY (group_id) REFERENCES ab_group (id) ON DELETE CASCADE
);
CREATE TABLE ab_group_role (
    id INTEGER AUTO_INCREMENT PRIMARY KEY,
    group_id INTEGER, role_id INTEGER, UNIQUE (group_id, role_id),
    FOREIGN KEY (group_id) REFERENCES ab_group (id) ON DELETE CASCADE,
    FOREIGN KEY (role_id) REFERENCES ab_role (id) ON DELETE CASCADE
);
INSERT INTO ab_role (id, name) VALUES (1, 'Admin'), (2, 'Public'), (3, 'Viewer'), (4, 'User'), (5, 'Op');
