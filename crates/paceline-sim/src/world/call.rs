//! Records of the calls of clients.

use jiff::Timestamp;

/// One request, as the simulator understood it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The virtual time of its arrival.
    pub at: Timestamp,
    /// The service, as the credential scope names it.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The account of the caller's credentials.
    pub account: String,
    /// Whether the credentials are those of an assumed role.
    pub as_role: bool,
    /// The region of the credential scope.
    pub region: String,
    /// The host that the request was sent to.
    pub host: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The error code, if the call failed.
    pub error: Option<String>,
    /// The stack that the call names, if it names one.
    pub stack: Option<String>,
}

impl Call {
    /// A call whose request has not been read yet.
    pub(crate) fn unknown(at: Timestamp) -> Self {
        Self {
            at,
            service: "unknown".to_owned(),
            operation: "unknown".to_owned(),
            account: String::new(),
            as_role: false,
            region: String::new(),
            host: String::new(),
            status: 200,
            error: None,
            stack: None,
        }
    }

    /// Whether the call names this stack, by its name or its ARN.
    pub fn names(&self, stack: &str) -> bool {
        let is_it = |text: &str| text == stack || text.split('/').nth(1) == Some(stack);
        self.stack.as_deref().is_some_and(is_it)
    }

    /// Whether the call changes nothing.
    pub fn is_read(&self) -> bool {
        const READS: [&str; 7] = ["Get", "List", "Describe", "Batch", "Head", "Simulate", "Validate"];
        READS.iter().any(|prefix| self.operation.starts_with(prefix))
    }

    /// Whether both calls ask for the same operation on the same stack, account and region.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.operation == other.operation
            && self.stack == other.stack
            && self.region == other.region
            && self.service == other.service
            && self.account == other.account
    }
}
