//! Microsoft Entra ID, one tenant of it:
//! <https://learn.microsoft.com/entra/identity-platform/access-tokens>. Of one tenant there are two issuers, and
//! which of them an access token has is decided by the application's manifest.

use countersign_verify::Algorithm;
use url::Url;

use super::{Known, Wrong, custom, host};
use crate::config::Config;
use crate::settings::Opaque;

const WORLD: &str = "login.microsoftonline.com";

pub(super) const KNOWN: Known = Known {
    issuer,
    more_issuers: |issuer| v1(issuer).into_iter().collect(),
    uses_tenant: true,
    uses_domain: true,
    algorithms: &[Algorithm::RS256],
    introspection: Opaque::Off,
    // The same for all applications of a tenant, where `sub` is another for each.
    subject: "oid",
    username: &["preferred_username", "upn", "unique_name"],
    groups: |_| "roles".to_owned(),
    vouches: true,
    ..custom::KNOWN
};

fn issuer(config: &Config) -> Result<String, Wrong> {
    let (key, tenant, cloud) = match (&config.tenant, &config.issuer) {
        (Some(_), Some(_)) => {
            return Err(("issuer", "`tenant` says the same; keep that".to_owned()));
        }
        (Some(tenant), None) => ("tenant", tenant.clone(), None),
        (None, Some(issuer)) => {
            let url = Url::parse(issuer).ok();
            let first = |url: &Url| url.path_segments()?.next().map(str::to_owned);
            let tenant = url.as_ref().and_then(first).unwrap_or_default();
            let cloud = url.as_ref().and_then(Url::host_str).and_then(cloud_of);
            ("issuer", tenant, cloud)
        }
        (None, None) => {
            let why =
                "expected the id of the tenant, found none; Entra's overview shows it, a GUID";
            return Err(("tenant", why.to_owned()));
        }
    };
    let tenant = tenant.trim().to_ascii_lowercase();
    if ["common", "organizations", "consumers"].contains(&tenant.as_str()) {
        let why = format!(
            "found {tenant}: users of any tenant would come in; write the id of yours, a GUID, and for several tenants \
             one backend for each"
        );
        return Err((key, why));
    }
    if !is_guid(&tenant) {
        let why = format!(
            "expected the id of the tenant, a GUID as Entra's overview shows it, found {tenant:?}; tokens have the id, \
             never the name"
        );
        return Err((key, why));
    }
    let host = match (&config.domain, cloud) {
        (Some(domain), _) => host(domain)?,
        (None, Some(cloud)) => cloud,
        (None, None) => WORLD,
    };
    Ok(format!("https://{host}/{tenant}/v2.0"))
}

/// The cloud of an issuer, of either version.
fn cloud_of(host: &str) -> Option<&'static str> {
    match host {
        "login.microsoftonline.us" => Some("login.microsoftonline.us"),
        "login.partner.microsoftonline.cn" | "login.chinacloudapi.cn" | "sts.chinacloudapi.cn" => {
            Some("login.partner.microsoftonline.cn")
        }
        _ => None,
    }
}

/// What tokens of version 1.0 of the same tenant say.
fn v1(issuer: &str) -> Option<String> {
    let (cloud, rest) = issuer.strip_prefix("https://")?.split_once('/')?;
    let tenant = rest.strip_suffix("/v2.0")?;
    let host = match cloud {
        "login.partner.microsoftonline.cn" => "sts.chinacloudapi.cn",
        _ => "sts.windows.net",
    };
    Some(format!("https://{host}/{tenant}/"))
}

fn is_guid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}
