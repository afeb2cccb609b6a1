//! Documents that would take all stack or time are stopped by a budget.

use crate::builtins::testing::run;

#[track_caller]
fn stopped(call: &str) {
    let got = run(call);
    let budgets = ["!eval_depth_error", "!eval_fuel_error", "!eval_memory_error"];
    assert!(budgets.contains(&got.as_str()), "{got}");
}

#[test]
fn deep_documents_end() {
    for (open, close) in [("{a", "}"), ("{...", "}")] {
        stopped(&format!(
            "graphql.parse_query(`{}{}`)",
            open.repeat(9000),
            close.repeat(9000)
        ));
    }
    let lists = format!("{{a(b: {}1{})}}", "[".repeat(9000), "]".repeat(9000));
    stopped(&format!("graphql.parse_query(`{lists}`)"));
    let types = format!("type A {{a: {}A{}}}", "[".repeat(9000), "]".repeat(9000));
    stopped(&format!("graphql.parse_schema(`{types}`)"));
}

/// The deepest that is still answered fits a small stack, also without optimisation.
#[test]
fn the_deepest_that_is_answered_fits_the_stack() {
    let run_small = |call: String| {
        let thread = std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn(move || run(&call));
        thread.expect("a thread").join().expect("an answer")
    };
    let schema = "type Query {a(b: [Int]): Query}";
    for depth in [200, 490, 499, 500, 510] {
        let deep = format!("{}{{b: __typename}}{}", "{a".repeat(depth), "}".repeat(depth));
        run_small(format!("graphql.is_valid(`{deep}`, `{schema}`)"));
        let lists = format!("{{a(b: {}1{})}}", "[".repeat(depth), "]".repeat(depth));
        run_small(format!("graphql.is_valid(`{lists}`, `{schema}`)"));
        let mut fragments = format!("{{...f0}} fragment f{depth} on Query {{b: __typename}}");
        for at in 0..depth {
            fragments += &format!(" fragment f{at} on Query {{ ...f{} }}", at + 1);
        }
        run_small(format!("graphql.is_valid(`{fragments}`, `{schema}`)"));
    }
}

#[test]
fn fields_that_explode_end() {
    let schema = "type Query {a: Query b: Int}";
    let mut query = "b".to_owned();
    for _ in 0..40 {
        query = format!("a {{ {query} }} a {{ {query} }}");
        if query.len() > 100_000 {
            break;
        }
    }
    stopped(&format!("graphql.is_valid(`{{ {query} }}`, `{schema}`)"));
}
