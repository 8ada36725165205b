//! How requests reach a source: the authorities and the certificate of their TLS connections, a proxy, redirects.

use reqwest::{Certificate, ClientBuilder, Identity, Proxy};

use crate::model::connector::{Access, Auth, ConnectorFile};
use crate::model::values::PlaceholderValues;
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::request::{self, TemplateContext};
use crate::sources::transport::tls::{read_authorities, read_identity};

/// Value of `access.proxy` for the proxy of the environment.
const ENVIRONMENT: &str = "environment";

/// The way of all requests of one pull. The default trusts the authorities of the machine and uses no proxy.
#[derive(Debug, Default)]
pub struct Route {
    /// Trusted besides those of the machine.
    pub authorities: Vec<Certificate>,
    pub identity: Option<Identity>,
    pub proxy: ProxyChoice,
    /// Redirects are answers: of a session of cookies they lead to the login page, and a login sets cookies beside one.
    pub leaves_redirects: bool,
}

/// The proxy of a connector.
#[derive(Debug, Default)]
pub enum ProxyChoice {
    #[default]
    None,
    /// That of the variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    Environment,
    One(Box<Proxy>),
}

impl Route {
    /// # Errors
    /// `misconfigured` if a file cannot be read or the proxy is no address, `unset_placeholder`.
    pub fn of(file: &ConnectorFile, values: &PlaceholderValues) -> Result<Self, SourceError> {
        let Access::Http { ca_certificates, client_certificate, proxy, .. } = &file.access else {
            return Ok(Self::default());
        };
        let filled = |text: &String| request::fill(text, TemplateContext::default(), values);
        let proxy = match proxy.as_ref().map(filled).transpose()?.as_deref() {
            None => ProxyChoice::None,
            Some(ENVIRONMENT) => ProxyChoice::Environment,
            Some(address) => {
                let scheme = address.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
                let is_web = matches!(scheme.as_deref(), Some("http" | "https"));
                let wrong = || {
                    SourceError::new(
                        ErrorKind::Misconfigured,
                        "`access.proxy` is not an http or https address of a proxy",
                    )
                };
                let proxy = Proxy::all(address).ok().filter(|_| is_web).ok_or_else(wrong)?;
                ProxyChoice::One(Box::new(proxy))
            }
        };
        Ok(Self {
            authorities: ca_certificates
                .as_ref()
                .map_or(Ok(Vec::new()), |path| read_authorities("access.ca_certificates", &filled(path)?))?,
            identity: client_certificate.as_ref().map(|path| read_identity(&filled(path)?)).transpose()?,
            proxy,
            leaves_redirects: matches!(file.auth, Auth::Login { token: None, .. }),
        })
    }

    /// What to say beside an error of the connection.
    pub(super) fn by(&self) -> &'static str {
        match self.proxy {
            ProxyChoice::None => "",
            ProxyChoice::Environment => " (through the proxy of the environment, if it names one)",
            ProxyChoice::One(_) => " (through the proxy of `access.proxy`)",
        }
    }

    /// Adds it to a client.
    pub(super) fn on(self, client: ClientBuilder) -> ClientBuilder {
        let client = client.tls_certs_merge(self.authorities);
        let client = match self.identity {
            Some(identity) => client.identity(identity),
            None => client,
        };
        match self.proxy {
            ProxyChoice::None => client.no_proxy(),
            ProxyChoice::Environment => client,
            ProxyChoice::One(proxy) => client.no_proxy().proxy(*proxy),
        }
    }
}
