//! Users in Flask-AppBuilder's tables.
