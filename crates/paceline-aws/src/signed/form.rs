//! The body of a request in the AWS Query protocol.

use paceline_text::in_url;

/// Parameters as `application/x-www-form-urlencoded`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form(String);

impl Form {
    /// The parameters that every request has.
    pub(crate) fn new(action: &str, version: &str) -> Self {
        let mut form = Self::default();
        form.add("Action", action);
        form.add("Version", version);
        form
    }

    pub(crate) fn add(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0 += &in_url(name);
        self.0.push('=');
        self.0 += &in_url(value);
    }

    /// Adds the parameters of another form.
    pub(crate) fn append(&mut self, other: &Self) {
        if !self.0.is_empty() && !other.0.is_empty() {
            self.0.push('&');
        }
        self.0 += &other.0;
    }

    /// The length of the body in bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn into_body(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn everything_that_means_something_in_a_form_is_encoded() {
        let mut form = Form::new("Publish", "2010-03-31");
        form.add("Message", "a&b = c+d/é~");
        assert_eq!(
            form.into_body(),
            "Action=Publish&Version=2010-03-31&Message=a%26b%20%3D%20c%2Bd%2F%C3%A9~"
        );
    }
}
