# The direct flow: everybody binds as himself.
from flask_appbuilder.security.manager import AUTH_LDAP
AUTH_TYPE = AUTH_LDAP
AUTH_LDAP_SERVER = 'ldaps://ldap.example.com'
AUTH_LDAP_USERNAME_FORMAT = 'uid=%s,ou=people,dc=example,dc=com'
AUTH_LDAP_SEARCH = 'ou=people,dc=example,dc=com'
AUTH_LDAP_USE_TLS = False
AUTH_USER_REGISTRATION = False
AUTH_ROLES_SYNC_AT_LOGIN = False
