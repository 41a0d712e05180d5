//! The services, each in a folder of its own.
//!
//! A new service is a folder with a [`Service`], and a line in [`ALL`]. Its state belongs in the `world`
//! module.

mod autoscaling;
mod cloudformation;
mod cloudwatch;
mod codebuild;
mod ec2;
mod ecr;
mod ecs;
mod eks;
mod events;
mod iam;
mod lambda;
mod logs;
mod rds;
mod s3;
mod service;
mod servicequotas;
mod sns;
mod ssm;
mod sts;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;

use self::service::{Answer, Service, denied, is_denied, unknown_operation};
use crate::options::Sessions;
use crate::wire::{Fault, Lists, Protocol, Request, identified, write, write_fault};
use crate::world::{Call, World};

pub(crate) use self::cloudformation::give_alias;
pub(crate) use self::events::put_rule;

const ALL: [&dyn Service; 18] = [
    &autoscaling::AutoScaling,
    &cloudformation::CloudFormation,
    &cloudwatch::CloudWatch,
    &codebuild::CodeBuild,
    &ec2::Ec2,
    &ecr::Ecr,
    &ecs::Ecs,
    &eks::Eks,
    &events::Events,
    &iam::Iam,
    &lambda::Lambda,
    &logs::Logs,
    &rds::Rds,
    &s3::S3,
    &servicequotas::ServiceQuotas,
    &sns::Sns,
    &ssm::Ssm,
    &sts::Sts,
];

/// Parses a request, and names the operation that it asks for.
pub(crate) fn read(request: http::Request<Bytes>, account: &str) -> Result<Request, Fault> {
    let mut request = Request::read(request, account, protocol_of)?;
    if let Some(service) = find(&request.service) {
        service.recognise(&mut request);
    }
    Ok(request)
}

/// Answers a request. If the request is refused, returns the error too.
pub(crate) fn perform(world: &mut World, request: &Request, id: &str) -> (Response<Bytes>, Option<Fault>) {
    events::deliver(world, &request.place);
    let service = find(&request.service);
    let answer = admit(world, request, service).and_then(|()| match service {
        Some(service) => service.answer(world, request),
        None => Err(unknown_operation(request)),
    });
    let (response, fault) = match answer {
        Ok(Answer::Result(result)) => (write(request, &result, Lists::Members, id), None),
        Ok(Answer::FlatLists(result)) => (write(request, &result, Lists::Flat, id), None),
        Ok(Answer::Response(response)) => (response, None),
        Err(fault) => (write_fault(request.protocol, &fault, id), Some(fault)),
    };
    (identified(response, id), fault)
}

/// The protocol of a service. A service that is not simulated is answered in JSON.
fn protocol_of(service: &str) -> Protocol {
    find(service).map_or(Protocol::Json, Service::protocol)
}

/// The protocol of a call that may not have been answered.
pub(crate) fn protocol_of_call(call: &Call) -> Protocol {
    find(&call.service).map_or(Protocol::Json, |service| service.protocol_of(&call.operation))
}

fn find(name: &str) -> Option<&'static dyn Service> {
    ALL.into_iter().find(|service| service.name() == name)
}

/// Whether a call comes too early after others, by the rate of its operation or by that of all operations.
fn is_over_a_rate(world: &mut World, request: &Request, service: Option<&dyn Service>) -> bool {
    let of_operation = service.and_then(|service| service.rate(&request.operation));
    let of_operation = of_operation.filter(|_| world.options.throttling);
    let of_operation = of_operation.map(|rate| rate * world.options.rate_factor);
    let of_all = world.options.calls_per_second.filter(|_| request.service == "cloudformation");
    let mut admits = |operation: &str, rate: Option<f64>| {
        rate.is_none_or(|rate| world.throttle.admits(&request.place, operation, rate, world.now))
    };
    !(admits("", of_all) && admits(&request.operation, of_operation))
}

/// Makes the checks that precede every service: credentials, permissions, rates and faults.
fn admit(world: &mut World, request: &Request, service: Option<&dyn Service>) -> Result<(), Fault> {
    let faults = &world.options.faults;
    let protocol = request.protocol;
    let has_ended = |ends: Timestamp| world.options.sessions == Sessions::Ending && ends <= world.now;
    if faults.expired_tokens || request.session_ends().is_some_and(has_ended) {
        let (status, code) = match protocol {
            Protocol::Json | Protocol::RestJson => (400, "ExpiredTokenException"),
            Protocol::Rest => (400, "ExpiredToken"),
            Protocol::Query { .. } => (403, "ExpiredToken"),
        };
        return Err(Fault::new(status, code, "The security token included in the request is expired"));
    }
    if is_denied(world, &request.service, &request.operation) {
        return Err(denied(request));
    }
    let faults = &world.options.faults;
    let (throttle, errors) = (faults.throttle, faults.server_errors);
    if world.random.chance(throttle) || is_over_a_rate(world, request, service) {
        return Err(Fault::throttled(protocol));
    }
    if world.random.chance(errors) {
        let code = match protocol {
            Protocol::Rest => "InternalError",
            Protocol::Json | Protocol::RestJson => "InternalServerError",
            Protocol::Query { .. } => "InternalFailure",
        };
        return Err(Fault::new(500, code, "An internal error occurred"));
    }
    Ok(())
}
