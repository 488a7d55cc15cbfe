//! Sign-in: account, secret and grant, in clear only over loopback or TLS.

use super::{Shared, fault, session::Session, settings::Settings};
use async_trait::async_trait;
use cogov_app::{AppError, GrantSession, Network};
use cogov_model::{GrantId, Locale};
use futures::{Sink, SinkExt};
use pgwire::api::auth::{
    ServerParameterProvider, StartupHandler, finish_authentication, protocol_negotiation,
    save_startup_parameters_to_metadata,
};
use pgwire::api::{
    ClientInfo, ConnectionGuard, ConnectionHandle, METADATA_DATABASE, METADATA_USER, PgWireConnectionState,
    PidSecretKeyGenerator,
};
use pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use pgwire::messages::startup::Authentication;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use std::{collections::HashMap, fmt::Debug, net::IpAddr, sync::Arc};

/// The handler of sign-in.
pub(super) struct Startup {
    shared: Arc<Shared>,
    /// Whether every place is taken: then the client is told so.
    full: bool,
}

impl Startup {
    pub(super) const fn new(shared: Arc<Shared>, full: bool) -> Self {
        Self { shared, full }
    }

    async fn sign_in(
        &self,
        user: &str,
        database: &str,
        secret: &str,
        from: IpAddr,
    ) -> PgWireResult<GrantSession> {
        let app = &self.shared.app;
        let refused = |error: AppError, locale: Locale| {
            crate::metrics::sign_in(cogov_app::Door::Pg, error.code());
            let mut info = fault::of_app(&error, locale);
            info.severity = "FATAL".to_owned();
            end(info)
        };
        let from = Network::canonical(from);
        let actor = app.authenticate(user, secret, from).await.map_err(|e| refused(e, Locale::En))?;
        let locale = actor.locale;
        let grant = GrantId::new(database).map_err(|_| {
            let mut info = fault::fatal("3D000", "the database is the id of a grant of your party");
            info.hint = Some("Your grants and their ids are listed on the page “My grants”.".to_owned());
            end(info)
        })?;
        let session = app.grant_session(&actor, &grant).await.map_err(|error| refused(error, locale))?;
        crate::metrics::sign_in(cogov_app::Door::Pg, "ok");
        Ok(session)
    }
}

/// Whether a secret may be asked for at all.
fn admit(full: bool, secure: bool, from: IpAddr) -> PgWireResult<()> {
    if full {
        return Err(end(fault::fatal("53300", "too many connections: try again later")));
    }
    if !secure && !from.to_canonical().is_loopback() {
        let words = "a password would cross the network in clear: connect with sslmode=require";
        return Err(end(fault::fatal("28000", words)));
    }
    Ok(())
}

fn end(info: ErrorInfo) -> PgWireError {
    PgWireError::UserError(Box::new(info))
}

#[async_trait]
impl StartupHandler for Startup {
    async fn on_startup<C>(&self, client: &mut C, message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        match message {
            PgWireFrontendMessage::Startup(startup) => {
                protocol_negotiation(client, &startup).await?;
                save_startup_parameters_to_metadata(client, &startup);
                admit(self.full, client.is_secure(), client.socket_addr().ip())?;
                client.set_state(PgWireConnectionState::AuthenticationInProgress);
                let ask = PgWireBackendMessage::Authentication(Authentication::CleartextPassword);
                Ok(client.send(ask).await?)
            }
            PgWireFrontendMessage::PasswordMessageFamily(secret) => {
                let secret = secret.into_password()?.password;
                let of = |name: &str| client.metadata().get(name).cloned().unwrap_or_default();
                let (user, database) = (of(METADATA_USER), of(METADATA_DATABASE));
                let from = client.socket_addr().ip();
                let grant = self.sign_in(&user, &database, &secret, from).await?;
                let settings = Settings::new(client.metadata().iter());
                let (pid, key) = self.shared.keys.generate(client);
                client.set_pid_and_secret_key(pid, key.clone());
                let (handle, guard) = self.shared.connections.register(pid, key);
                let extensions = client.session_extensions();
                extensions.insert::<Arc<ConnectionHandle>>(handle);
                extensions.insert::<ConnectionGuard>(guard);
                let reported = Reported(settings.reported(&user).into_iter().collect());
                extensions.insert(Session::new(self.shared.app.clone(), grant, settings));
                finish_authentication(client, &reported).await
            }
            _ => Err(end(fault::fatal("08P01", "the password is expected now"))),
        }
    }
}

/// The parameters that a client is told at its start.
struct Reported(HashMap<String, String>);

impl ServerParameterProvider for Reported {
    fn server_parameters<C>(&self, _: &C) -> Option<HashMap<String, String>>
    where
        C: ClientInfo,
    {
        Some(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_asked_for_only_where_nobody_listens() {
        let away = IpAddr::from([10, 0, 0, 1]);
        let here = IpAddr::from([127, 0, 0, 1]);
        assert!(admit(false, false, away).is_err());
        assert!(admit(false, true, away).is_ok());
        assert!(admit(false, false, here).is_ok());
        assert!(admit(false, false, IpAddr::from([0, 0, 0, 0, 0, 0xffff, 0x7f00, 1])).is_ok());
        assert!(admit(true, true, here).is_err());
    }
}
