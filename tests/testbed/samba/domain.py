"""Makes the domain corp.test: domain.py SMB_CONF ADDRESS

Users, each with the password NAME-pw:
  svc        looks others up
  ada        in Ops; Staff holds Ops, Everything holds Staff, and Ops holds Everything: a ring
  grace      in no group but Domain Users, which People holds
  disabled   expired (his account)   mustchange (his password)   locked (by wrong passwords: three)
"""
import logging
import sys

from samba import dsdb, provision
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

conf, address = sys.argv[1:]
lp = LoadParm()
lp.load(conf)
provision.provision(
    logging.getLogger("provision"), system_session(), smbconf=conf, lp=lp, realm="CORP.TEST", domain="CORP",
    hostname="dc1", hostip=address, adminpass="Adm1n-pw!", serverrole="active directory domain controller",
    dns_backend="NONE", dom_for_fun_level=dsdb.DS_DOMAIN_FUNCTION_2008_R2, skip_sysvolacl=True)

samdb = SamDB(session_info=system_session(), lp=lp)
samdb.set_minPwdLength("1")
samdb.set_pwdProperties("0")
base = samdb.get_default_basedn()
samdb.modify_ldif(f"""
dn: {base}
changetype: modify
replace: lockoutThreshold
lockoutThreshold: 3
""")

for name in ["svc", "ada", "grace", "disabled", "expired", "locked"]:
    samdb.newuser(name, f"{name}-pw", givenname=name.title(), surname="Test", mailaddress=f"{name}@corp.test")
samdb.newuser("mustchange", "mustchange-pw", force_password_change_at_next_login_req=True)
samdb.disable_account("(sAMAccountName=disabled)")
samdb.modify_ldif(f"""
dn: CN=expired,CN=Users,{base}
changetype: modify
replace: accountExpires
accountExpires: 116444736010000000
""")

for group, member in [
    ("Ops", "ada"), ("Staff", "Ops"), ("Everything", "Staff"), ("Ops", "Everything"), ("People", "Domain Users"),
]:
    if not samdb.search(base, expression=f"(sAMAccountName={group})"):
        samdb.newgroup(group)
    samdb.add_remove_group_members(group, [member], add_members_operation=True)
