//! Microsoft's national clouds: their tenants have an issuer of another host.

/// The host of a national cloud, if an address at Entra is one's; all else is the public cloud.
pub(super) fn national(host: &str) -> Option<&'static str> {
    match host {
        "login.microsoftonline.us" => Some("login.microsoftonline.us"),
        "login.partner.microsoftonline.cn" | "login.chinacloudapi.cn" => {
            Some("login.partner.microsoftonline.cn")
        }
        _ => None,
    }
}
