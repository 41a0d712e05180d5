//! What is newly allowed, in sentences.

use paceline_text::{list, quoted};

use crate::model::{Access, Widening, is_everyone};

/// So many items of a list are named.
const NAMED: usize = 6;

impl Widening {
    /// `Role` may newly do s3:PutObject on `${Files.Arn}/*`.
    pub(crate) fn sentence(&self) -> String {
        let own = quoted(&self.place.to_string());
        match &self.access {
            Access::Allows { to, actions, resources, all_but, is_conditional } => {
                let who = match to.as_slice() {
                    [] if self.resource_type.ends_with("Policy") => format!("whoever has {own}"),
                    [] => own,
                    to => format!("{} ({own})", principals(to, all_but.principals)),
                };
                let what =
                    if all_but.actions { all_except("everything", actions) } else { items(actions, action) };
                let on = match resources.as_slice() {
                    [] => String::new(),
                    resources if all_but.resources => {
                        format!(" on {}", all_except("every resource", resources))
                    }
                    resources => format!(" on {}", items(resources, resource)),
                };
                format!("{who} may do {what}{on}{}", condition(*is_conditional))
            }
            Access::AssumedBy { principals: by, all_but, is_conditional } => {
                format!("{own} may be assumed by {}{}", principals(by, *all_but), condition(*is_conditional))
            }
            Access::ManagedPolicy { policy } => {
                format!("{own} has the managed policy {}", policy.rsplit(":policy/").next().unwrap_or(policy))
            }
            Access::NoLongerDenies { actions } => {
                format!("{own} no longer denies {} as it did", items(actions, action))
            }
            Access::NoBoundary => format!("{own} has no permissions boundary any more"),
            Access::Ingress { group, protocol, ports, from } => {
                let own = group.as_ref().map_or(own.clone(), |group| format!("{group} ({own})"));
                let from = if is_everyone(from) { format!("everyone ({from})") } else { from.clone() };
                format!("{own} opens {} to {from}", traffic(protocol, ports.as_ref()))
            }
        }
    }
}

fn condition(is_conditional: bool) -> &'static str {
    if is_conditional { ", under a condition" } else { "" }
}

/// `A, B and 3 more`.
fn items(all: &[String], shown: impl Fn(&str) -> String) -> String {
    let mut named: Vec<String> = all.iter().take(NAMED).map(|it| shown(it)).collect();
    if all.len() > NAMED {
        named.push(format!("{} more", all.len() - NAMED));
    }
    list(named)
}

/// `everything but A and B`.
fn all_except(whole: &str, all: &[String]) -> String {
    format!("{whole} but {}", items(all, str::to_owned))
}

fn principals(all: &[String], all_but: bool) -> String {
    if all_but { all_except("everyone", all) } else { items(all, principal) }
}

fn principal(text: &str) -> String {
    if text == "*" { "everyone (*)".to_owned() } else { text.to_owned() }
}

fn action(text: &str) -> String {
    match text.strip_suffix(":*") {
        _ if text == "*" => "every action (*)".to_owned(),
        Some(service) if !service.contains('*') => format!("every action of {service} ({text})"),
        _ => text.to_owned(),
    }
}

fn resource(text: &str) -> String {
    if text == "*" { "every resource (*)".to_owned() } else { text.to_owned() }
}

/// `port 22 (tcp)`, `ports 80 to 90 (tcp)`, `every port`.
fn traffic(protocol: &str, ports: Option<&(String, String)>) -> String {
    match (protocol, ports) {
        ("-1", _) => "every port".to_owned(),
        (protocol, None) => format!("{protocol} traffic"),
        ("icmp" | "icmpv6" | "1" | "58", Some(_)) => format!("{protocol} traffic"),
        (protocol, Some((first, last))) if first == last => format!("port {first} ({protocol})"),
        (protocol, Some((first, last))) => format!("ports {first} to {last} ({protocol})"),
    }
}
