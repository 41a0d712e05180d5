//! The wire protocols: parses requests, and writes answers in the protocol of the request.

mod answer;
mod json;
mod request;

pub(crate) use answer::{
    Fault, Lists, Outcome, Protocol, dated, element, identified, respond, set_header, write, write_fault,
};
pub(crate) use json::{strings, text};
pub(crate) use paceline_text::percent_decode;
pub(crate) use request::{Form, Request, access_key_for, session_token};
