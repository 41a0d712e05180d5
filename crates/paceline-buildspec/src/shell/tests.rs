use super::*;

/// The tree on one line: the commands in order, with the operators between them.
fn shown(list: &List) -> String {
    list.0.iter().map(statement).collect::<Vec<_>>().join("; ")
}

fn statement(of: &Statement) -> String {
    let mut text = pipeline(&of.first);
    for (joint, next) in &of.rest {
        text += if *joint == AndOr::And { " && " } else { " || " };
        text += &pipeline(next);
    }
    if of.background { text + " &" } else { text }
}

fn pipeline(of: &Pipeline) -> String {
    let commands: Vec<_> = of.commands.iter().map(command).collect();
    format!("{}{}", if of.negated { "! " } else { "" }, commands.join(" | "))
}

fn command(of: &Command) -> String {
    let mut text = match &of.kind {
        CommandKind::Simple(simple) => {
            let assignments = simple.assignments.iter().map(|it| format!("{}={}", it.name, it.value.shown()));
            let words = simple.words.iter().map(Word::shown);
            assignments.chain(words).fold(String::new(), |line, word| line + "<" + &word + ">")
        }
        CommandKind::Group(list) => format!("{{ {} }}", shown(list)),
        CommandKind::Subshell(list) => format!("( {} )", shown(list)),
        CommandKind::If { arms, otherwise } => {
            let arms = arms.iter().map(|(test, body)| format!("{} ? {}", shown(test), shown(body)));
            let otherwise = otherwise.iter().map(|list| format!(": {}", shown(list)));
            format!("if {}", arms.chain(otherwise).collect::<Vec<_>>().join(" "))
        }
        CommandKind::Loop(of) => {
            let values: Vec<_> = of.values.iter().map(Word::shown).collect();
            let condition = of.condition.as_ref().map(shown).unwrap_or_default();
            format!("loop {}{condition} [ {} ]", values.join(","), shown(&of.body))
        }
        CommandKind::Case(arms) => format!("case {}", arms.iter().map(shown).collect::<Vec<_>>().join(" / ")),
        CommandKind::Function { name, body } => format!("{name}() {}", command(body)),
        CommandKind::Test => "test".to_owned(),
    };
    for redirect in &of.redirects {
        text = text + " " + redirect.operator + &redirect.target.shown();
    }
    text
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let script = Script::parse(text);
    assert_eq!(script.error, None, "{text}");
    assert_eq!(shown(&script.body), expected, "{text}");
}

#[test]
fn commands_are_joined_like_in_the_shell() {
    check("a b; c && d || e | f &\ng", "<a><b>; <c> && <d> || <e> | <f> &; <g>");
    check("! a |\n b\n\n# c; d\ne # f\n", "! <a> | <b>; <e>");
    check("a &&\n  # why\n  b", "<a> && <b>");
    check("A=1 B=\"$C d\" e F=2", "<A=1><B=$C d><e><F=2>");
    check("a \\\n  b\\\nc", "<a><bc>");
    check("", "");
}

#[test]
fn compound_commands_contain_their_parts() {
    check("if a; then b; elif c\nthen d\nelse e; fi > f", "if <a> ? <b> <c> ? <d> : <e> >f");
    check("for x in 1 $y \"3 4\"; do a; b; done", "loop 1,$y,3 4 [ <a>; <b> ]");
    check("for x; do a; done", "loop  [ <a> ]");
    check("for ((i=0; i<3; i++)); do a; done", "loop  [ <a> ]");
    check("while ! a; do sleep 5; done < f", "loop ! <a> [ <sleep><5> ] <f");
    check("case $x in a|b) c ;; (d*) e; f;; *) g\nesac", "case <c> / <e>; <f> / <g>");
    check("f() { a; }; function g { b; }\nh () ( c )", "f() { <a> }; g() { <b> }; h() ( <c> )");
    check("( a; b ) && { c; }", "( <a>; <b> ) && { <c> }");
    check("[[ $a == b* && ( c || d ) ]] && e", "test && <e>");
    check("(( a > 1 )) || b", "test || <b>");
    check("((a); b)", "( ( <a> ); <b> )");
    check("echo if then fi; a done", "<echo><if><then><fi>; <a><done>");
    check("select x in a; do b; done", "loop a [ <b> ]");
}

#[test]
fn words_know_their_quoted_and_expanded_parts() {
    check(r#"echo 'a; b' "c $d ${e:-f g}" \;"#, "<echo><a; b><c $d $e><;>");
    check("a $(b | c) `d` $((1 + (2))) ${x#)}", "<a><$()><$()><$()><$x>");
    check("a \"$(b \"c d\" | e)\" f", "<a><$()><f>");
    check("a b#c $# ${#x} $? $1x", "<a><b#c><$#><$x><$?><$1x>");
    check("diff <(a) >(b)", "<diff><$()><$()>");
    check("find . -exec rm {} \\; -o @(a|b)", "<find><.><-exec><rm><{}><;><-o><@(a|b)>");
    check("echo \"it's\" 'say \"x\"' \"a\\nb\"", "<echo><it's><say \"x\"><a\\nb>");
    check("a=$(case x in y) b;; esac)", "<a=$()>");
    check("declare -A a=() b=(1 2); c", "<declare><-A><$()><$()>; <c>");
    check("a=(1 2\n 3) b[0]=4 c+=5", "<a=$()><b=4><c=5>");
    check("echo ${x:-'}'} \"${y:-it's}\"", "<echo><$x><$y>");
}

#[test]
fn redirects_and_here_documents_are_not_arguments() {
    check("a >b 2>&1 <c d &>e", "<a><d> >b >&1 <c &>e");
    check("cat <<EOF | b\n$(not run; if)\n'\nEOF\nc", "<cat> <<EOF | <b>; <c>");
    check("cat <<-'X' >y\n\ta\n\tX\nb", "<cat> <<-X >y; <b>");
    check("a <<< \"b\"", "<a> <<<b");
    check("x=$(cat <<E\n)\nE\n); y", "<x=$()>; <y>");
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    let shown = match Script::parse(text).error {
        None => "none".to_owned(),
        Some(SyntaxError::TooDeep) => "too deep".to_owned(),
        Some(SyntaxError::Unclosed { what, at }) => format!("unclosed {what} at {}", at.start),
        Some(SyntaxError::Unexpected { what, at }) => format!("unexpected {what} at {}", at.start),
    };
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn syntax_errors_have_a_place() {
    check_error("if a; then", "unclosed if at 0");
    check_error("a\nfi", "unexpected fi at 2");
    check_error("for x in 1 2; do", "unclosed for at 0");
    check_error("echo 'a", "unclosed quote at 5");
    check_error("echo \"a $(b", "unclosed $( at 8");
    check_error("a && ", "unexpected the end at 5");
    check_error("a | | b", "unexpected | at 4");
    check_error("{ a; ", "unclosed { at 0");
    check_error("( a", "unclosed ( at 0");
    check_error("a )", "unexpected ) at 2");
    check_error("cat <<EOF\na\n", "unclosed here-document at 4");
    check_error("case x in a) b;;", "unclosed case at 0");
    check_error("[[ a", "unclosed [[ at 0");
    check_error("a >", "unexpected  at 3");
    check_error(&"$(".repeat(100), "too deep");
}

#[track_caller]
fn check_bashisms(text: &str, expected: &[&str]) {
    let script = Script::parse(text);
    assert_eq!(script.error, None, "{text}");
    let shown: Vec<_> = script.bashisms.iter().map(|(bashism, _)| bashism.to_string()).collect();
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn constructs_of_bash_are_noticed() {
    check_bashisms("[[ -f a ]] && ((x++))", &["`[[ … ]]`", "`(( … ))`"]);
    check_bashisms("source a; b() { local c; }", &["`source`"]);
    check_bashisms("set -euo pipefail", &["`pipefail`"]);
    check_bashisms(
        "a=(1 2); echo ${a[0]} ${#a[@]}",
        &["an array", "an element of an array", "an element of an array"],
    );
    check_bashisms(
        "echo ${x^^} ${x/a/b} ${x:0:3} ${!x}",
        &["an operator of `${…}`", "an operator of `${…}`", "an operator of `${…}`", "`${!…}`"],
    );
    check_bashisms(
        "a <<< b; c &> d; e |& f; diff <(g) h",
        &["`<<<`", "`&>`", "`|&`", "a process substitution"],
    );
    check_bashisms("[ a == b ]; test a = b", &["`==` in `[ … ]`"]);
    check_bashisms("mkdir -p a/{b,c} {1..3}", &["`{…,…}`", "`{…,…}`"]);
    check_bashisms(
        "echo $RANDOM $'a\\n'; trap x ERR; printf -v y z; read -a w",
        &["`$RANDOM`", "`$'…'`", "a trap of ERR, DEBUG or RETURN", "`printf -v`", "an option of `read`"],
    );
    check_bashisms("function f { a; }; x+=1", &["the word `function`", "`+=`"]);
}

#[test]
fn constructs_of_every_shell_are_not_bashisms() {
    for text in [
        ". ./a; f() { b; }; x=${y:-z} ; echo \"${x%%.*}\" ${#x} ${x:+1} ${x##*/}",
        "bash -c '[[ a ]] && source b; a=(1)'",
        "[ \"$a\" = b ] && test -n \"$c\" || exit 1",
        "cat <<EOF\n[[ a ]] {b,c} ${d^^}\nEOF\n",
        "find . -exec a {} + ; echo {a} '{b,c}' \"{d,e}\" {} \\{f,g\\}",
        "a > b 2>&1; c $((1 + 2)); d `e`; trap 'f' EXIT INT; read -r g; printf '%s' h",
        "export A=1; set -eu; git stash show stash@{0}; awk '{print $1, $2}'",
        "docker ps --format '{{.ID}}'; echo {{x}}",
    ] {
        check_bashisms(text, &[]);
    }
}

fn programs(text: &str) -> Vec<String> {
    calls(&Script::parse(text).body).iter().map(|call| call.program().to_owned()).collect()
}

#[test]
fn calls_are_found_anywhere() {
    assert_eq!(
        programs("a; if b; then sudo -E c; fi; d $(e `f`) | g; h() { i; }; X=1 env Y=2 /usr/bin/j k"),
        ["a", "b", "c", "d", "e", "f", "g", "i", "j"]
    );
    let script = Script::parse("a | b; c && d; for x in 1; do e; done; f=$(g) h &");
    let shown: Vec<_> = calls(&script.body)
        .iter()
        .map(|call| {
            let marks = [
                (call.context.piped, "piped"),
                (call.context.fed, "fed"),
                (call.context.tested, "tested"),
                (call.context.looped, "looped"),
                (call.context.captured, "captured"),
                (call.context.background, "background"),
            ];
            let marks: Vec<_> = marks.iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| *mark).collect();
            format!("{} {}", call.program(), marks.join(" ")).trim().to_owned()
        })
        .collect();
    assert_eq!(
        shown,
        ["a piped", "b fed", "c tested", "d", "e looped", "h background", "g captured background"]
    );
}

#[test]
fn arguments_and_options_are_distinguished() {
    let script = Script::parse("npx cdk deploy --all -yq --require-approval=never");
    let calls = calls(&script.body);
    let call = &calls[0];
    assert!(call.is(&["npx", "cdk", "deploy"]) && call.is(&["npx"]));
    assert!(!call.is(&["npx", "deploy"]) && !call.is(&["cdk"]));
    assert!(call.has(&["--require-approval"]) && call.has(&["-y"]) && call.has(&["-q"]));
    assert!(!call.has(&["--require"]) && !call.has(&["-z"]));
}
