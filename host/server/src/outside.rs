//! The way out to identity providers: the port that signing in declares, behind the guard of all outgoing requests.

use std::sync::Arc;

use async_trait::async_trait;
use portolan_access::oidc::{AskOutside, IncomingAnswer, OutgoingRequest, OutsideError};
use portolan_plugin_host::{GrantedOrigin, Outgoing, outgoing_to_providers};

pub struct GuardedOutside(Arc<Outgoing>);

impl GuardedOutside {
    /// `granted` are what the operator lets it ask although they are inside or plain http.
    pub fn new(granted: Vec<GrantedOrigin>) -> Self {
        Self(outgoing_to_providers(granted))
    }
}

#[async_trait]
impl AskOutside for GuardedOutside {
    fn permits(&self, url: &str) -> Result<(), OutsideError> {
        self.0.permits(url).map_err(OutsideError)
    }

    async fn ask(&self, request: OutgoingRequest) -> Result<IncomingAnswer, OutsideError> {
        let OutgoingRequest { method, url, headers, body } = request;
        let answer = self.0.send(&method, &url, &headers, body).await.map_err(OutsideError)?;
        Ok(IncomingAnswer { status: answer.status, content_type: answer.content_type, body: answer.body })
    }
}
