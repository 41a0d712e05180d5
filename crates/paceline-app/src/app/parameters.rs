//! The values that `--parameters` gives to parameters of stacks.

use std::collections::BTreeMap;
use std::sync::Arc;

use paceline_assembly::{Assembly, Stack};
use paceline_plan::Plan;
use paceline_text::{Problem, secrets};

use super::App;
use crate::failure::Failure;

/// The key is the id or the name of a stack, or [`EVERY_STACK`]; the key inside is the name of the parameter.
pub type Parameters = BTreeMap<String, BTreeMap<String, String>>;

/// The key for parameters of every stack that has them.
const EVERY_STACK: &str = "*";

impl App {
    /// Gives these values to the stacks. Names and conditions in templates can depend on them.
    pub fn give(&mut self, parameters: &[String]) -> Result<(), Failure> {
        self.parameters = parse(parameters, &self.assembly)?;
        if self.parameters.is_empty() {
            return Ok(());
        }
        give_to(&mut Arc::make_mut(&mut self.assembly).stacks, &self.parameters);
        Ok(())
    }
}

/// Gives values to those of the stacks that they are for.
pub(crate) fn give_to(stacks: &mut [Stack], parameters: &Parameters) {
    for stack in stacks {
        let names = [EVERY_STACK, stack.name.as_str(), stack.id.as_str()];
        let given = names.iter().filter_map(|name| parameters.get(*name)).flatten();
        let given = given.map(|(name, value)| (name.clone(), value.clone())).collect();
        stack.give(&given);
    }
}

/// Hides the values of secret parameters in everything that this process writes: AWS may repeat them in its messages.
pub(crate) fn hide_secrets(stacks: &[Stack]) {
    for stack in stacks.iter().filter(|stack| stack.template.may_have_secrets()) {
        let declared = stack.template.value()["Parameters"].as_object().into_iter().flatten();
        for (name, declared) in declared.filter(|(name, _)| stack.template.is_secret(name)) {
            let default = declared["Default"].as_str();
            default.into_iter().chain(stack.parameters.get(name).map(String::as_str)).for_each(secrets::hide);
        }
    }
}

/// Refuses the values that CloudFormation would refuse, because a template does not allow them.
pub(crate) fn ensure_allowed(app: &App, plan: &Plan) -> Result<(), Failure> {
    let mut problems = Vec::new();
    for stack in plan.stacks.iter().filter_map(|planned| app.assembly.stack(&planned.id)) {
        let mut values: BTreeMap<&String, (&String, bool)> =
            stack.parameters.iter().map(|(name, value)| (name, (value, false))).collect();
        for whose in [EVERY_STACK, &stack.name, &stack.id] {
            let own = app.parameters.get(whose).into_iter().flatten();
            values.extend(own.map(|(name, value)| (name, (value, true))));
        }
        for (name, (value, is_given)) in values {
            let Some(why) = stack.template.refusal(name, value) else { continue };
            let shown =
                if stack.template.is_secret(name) { "its value".to_owned() } else { format!("`{value}`") };
            let hint = if is_given {
                format!("give it another value with --parameters {}:{name}=VALUE", stack.id)
            } else {
                "the assembly has this value: correct the app, then synthesize it again".to_owned()
            };
            let message = format!("parameter `{name}` of {}: {shown} {why}", stack.id);
            problems.push(Problem { place: None, message, hint: Some(hint) });
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::of_all(problems)) }
}

/// Reads texts like `[STACK:]KEY=VALUE`. Without a stack, a value is for every stack.
pub(crate) fn parse(texts: &[String], assembly: &Assembly) -> Result<Parameters, Failure> {
    let mut parameters = Parameters::new();
    for text in texts {
        // A value may be secret, so messages show `KEY=…`.
        let named = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let shown = named.map_or(text.clone(), |(name, _)| format!("{name}=…"));
        let wrong =
            |what: &str, hint: &str| Err(Failure::usage(format!("--parameters {shown}: {what}"), hint));
        let Some((name, value)) = named else {
            return wrong("there is no KEY=VALUE", "write it like --parameters MyStack:Size=3");
        };
        // A key has no colon; a stack's id may have several.
        let (stack, key) = name.rsplit_once(':').unwrap_or((EVERY_STACK, name));
        let is_meant = |s: &&Stack| stack == EVERY_STACK || stack == s.id || stack == s.name;
        let meant: Vec<&Stack> = assembly.stacks.iter().filter(is_meant).collect();
        if meant.is_empty() {
            let hint = "`paceline plan` lists the stacks of the assembly";
            return wrong(&format!("no stack is called `{stack}`"), hint);
        }
        if !meant.iter().any(|stack| stack.template.value()["Parameters"].get(key).is_some()) {
            let whose =
                if stack == EVERY_STACK { "no stack has a".to_owned() } else { format!("`{stack}` has no") };
            return wrong(
                &format!("{whose} parameter `{key}`"),
                "the parameters of a stack are under `Parameters` in its template",
            );
        }
        if meant.iter().any(|stack| stack.template.is_secret(key)) {
            secrets::hide(value);
        }
        parameters.entry(stack.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
    }
    Ok(parameters)
}
