//! The rows: names and types of all builtins of OPA 1.22.2, and the functions of those that gavel runs.

use super::shapes::*;
use super::{Builtin, BuiltinFn, BuiltinId, Type};
use super::{
    aggregates, arrays, aws, base64, casts, crypto, encoding, fetch, glob, globs_match, graph, graphql, host,
    json_patch, json_paths, json_schema, json_text, jwt, net, numbers, objects, operators, regex, sets,
    sprintf, strings, template, text_template, time, units, uri, uuid, versions, walk, x509, yaml,
};

/// All builtins of OPA 1.22.2, and the two that its own test binary adds, sorted by name. `internal.print`, `internal.test_case` and `print` have no result in OPA;
/// `print` takes any number of arguments. The compiler erases all three.
pub static BUILTINS: &[Builtin] = &[
    row("abs", &[NUMBER], NUMBER).run(numbers::abs),
    row("all", &[LIST_OR_SET], BOOLEAN)
        .run(aggregates::all)
        .deprecated(),
    row("and", &[SET, SET], SET).run(sets::and),
    row("any", &[LIST_OR_SET], BOOLEAN)
        .run(aggregates::any)
        .deprecated(),
    row("array.concat", &[ARRAY, ARRAY], ARRAY).run(arrays::concat),
    row("array.flatten", &[ARRAY], ARRAY).run(arrays::flatten),
    row("array.reverse", &[ARRAY], ARRAY).run(arrays::reverse),
    row("array.slice", &[ARRAY, NUMBER, NUMBER], ARRAY).run(arrays::slice),
    row("assign", &[ANY, ANY], BOOLEAN).run(operators::equal),
    row("base64.decode", &[STRING], STRING).run(base64::decode),
    row("base64.encode", &[STRING], STRING).run(base64::encode),
    row("base64.is_valid", &[STRING], BOOLEAN).run(base64::is_valid),
    row("base64url.decode", &[STRING], STRING).run(base64::url_decode),
    row("base64url.encode", &[STRING], STRING).run(base64::url_encode),
    row("base64url.encode_no_pad", &[STRING], STRING).run(base64::url_encode_no_pad),
    row("bits.and", &[NUMBER, NUMBER], NUMBER).run(numbers::bits_and),
    row("bits.lsh", &[NUMBER, NUMBER], NUMBER).run(numbers::bits_lsh),
    row("bits.negate", &[NUMBER], NUMBER).run(numbers::bits_negate),
    row("bits.or", &[NUMBER, NUMBER], NUMBER).run(numbers::bits_or),
    row("bits.rsh", &[NUMBER, NUMBER], NUMBER).run(numbers::bits_rsh),
    row("bits.xor", &[NUMBER, NUMBER], NUMBER).run(numbers::bits_xor),
    row("cast_array", &[ANY], ARRAY)
        .run(casts::cast_array)
        .deprecated(),
    row("cast_boolean", &[ANY], BOOLEAN)
        .run(casts::cast_boolean)
        .deprecated(),
    row("cast_null", &[ANY], NULL).run(casts::cast_null).deprecated(),
    row("cast_object", &[ANY], OBJECT)
        .run(casts::cast_object)
        .deprecated(),
    row("cast_set", &[ANY], SET).run(casts::cast_set).deprecated(),
    row("cast_string", &[ANY], STRING)
        .run(casts::cast_string)
        .deprecated(),
    row("ceil", &[NUMBER], NUMBER).run(numbers::ceil),
    row("concat", &[STRING, Type::Or(&[STRINGS, STRING_SET])], STRING).run(strings::concat),
    row("contains", &[STRING, STRING], BOOLEAN).run(strings::contains),
    row("count", &[Type::Or(&[STRING, ARRAY, OBJECT, SET])], NUMBER).run(aggregates::count),
    row("crypto.hmac.equal", &[STRING, STRING], BOOLEAN).run(crypto::hmac_equal),
    row("crypto.hmac.md5", &[STRING, STRING], STRING).run(crypto::hmac_md5),
    row("crypto.hmac.sha1", &[STRING, STRING], STRING).run(crypto::hmac_sha1),
    row("crypto.hmac.sha256", &[STRING, STRING], STRING).run(crypto::hmac_sha256),
    row("crypto.hmac.sha512", &[STRING, STRING], STRING).run(crypto::hmac_sha512),
    row("crypto.md5", &[STRING], STRING).run(crypto::md5),
    row("crypto.parse_private_keys", &[STRING], DICTS).run(x509::parse_private_keys),
    row("crypto.sha1", &[STRING], STRING).run(crypto::sha1),
    row("crypto.sha256", &[STRING], STRING).run(crypto::sha256),
    row(
        "crypto.x509.parse_and_verify_certificates",
        &[STRING],
        CERTIFICATES,
    )
    .run(x509::parse_and_verify)
    .nondeterministic(),
    row(
        "crypto.x509.parse_and_verify_certificates_with_options",
        &[STRING, DICT],
        CERTIFICATES,
    )
    .run(x509::parse_and_verify_with_options)
    .nondeterministic(),
    row("crypto.x509.parse_certificate_request", &[STRING], DICT).run(x509::parse_certificate_request),
    row("crypto.x509.parse_certificates", &[STRING], DICTS).run(x509::parse_certificates),
    row("crypto.x509.parse_keypair", &[STRING, STRING], DICT).run(x509::parse_keypair),
    row("crypto.x509.parse_rsa_private_key", &[STRING], DICT).run(x509::parse_rsa_private_key),
    row("div", &[NUMBER, NUMBER], NUMBER).run(operators::div),
    row("endswith", &[STRING, STRING], BOOLEAN).run(strings::endswith),
    row("eq", &[ANY, ANY], BOOLEAN).run(operators::equal),
    row("equal", &[ANY, ANY], BOOLEAN).run(operators::equal),
    row("floor", &[NUMBER], NUMBER).run(numbers::floor),
    row("format_int", &[NUMBER, NUMBER], STRING).run(numbers::format_int),
    row(
        "glob.match",
        &[STRING, Type::Or(&[NULL, STRINGS]), STRING],
        BOOLEAN,
    )
    .run(glob::glob_match),
    row("glob.quote_meta", &[STRING], STRING).run(glob::quote_meta),
    row("graph.reachable", &[GRAPH, LIST_OR_SET], SET).run(graph::reachable),
    row("graph.reachable_paths", &[GRAPH, LIST_OR_SET], Type::Set(&ARRAY)).run(graph::reachable_paths),
    row("graphql.is_valid", &[STRING_OR_OBJECT, STRING_OR_OBJECT], BOOLEAN).run(graphql::is_valid),
    row(
        "graphql.parse",
        &[STRING_OR_OBJECT, STRING_OR_OBJECT],
        Type::Array(&[OBJECT, OBJECT], None),
    )
    .run(graphql::parse),
    row(
        "graphql.parse_and_verify",
        &[STRING_OR_OBJECT, STRING_OR_OBJECT],
        VERIFIED,
    )
    .run(graphql::parse_and_verify),
    row("graphql.parse_query", &[STRING], OBJECT).run(graphql::parse_query),
    row("graphql.parse_schema", &[STRING], OBJECT).run(graphql::parse_schema),
    row("graphql.schema_is_valid", &[STRING_OR_OBJECT], BOOLEAN).run(graphql::schema_is_valid),
    row("gt", &[ANY, ANY], BOOLEAN).run(operators::gt),
    row("gte", &[ANY, ANY], BOOLEAN).run(operators::gte),
    row("hex.decode", &[STRING], STRING).run(encoding::hex_decode),
    row("hex.encode", &[STRING], STRING).run(encoding::hex_encode),
    row("http.send", &[DICT], OBJECT).run(fetch::send).network(),
    row("indexof", &[STRING, STRING], NUMBER).run(strings::indexof),
    row("indexof_n", &[STRING, STRING], NUMBERS).run(strings::indexof_n),
    row("internal.member_2", &[ANY, ANY], BOOLEAN).run(operators::member),
    row("internal.member_3", &[ANY, ANY, ANY], BOOLEAN).run(operators::member_with_key),
    row("internal.print", &[Type::Array(&[], Some(&SET))], ANY).run(operators::erased),
    row("internal.template_string", &[ARRAY], STRING).run(template::template_string),
    row("internal.test_case", &[ARRAY], ANY).run(operators::erased),
    row("intersection", &[SETS], SET).run(sets::intersection),
    row(
        "io.jwt.decode",
        &[STRING],
        Type::Array(&[OBJECT, OBJECT, STRING], None),
    )
    .run(jwt::decode),
    row("io.jwt.decode_verify", &[STRING, DICT], VERIFIED)
        .run(jwt::decode_verify)
        .nondeterministic(),
    row("io.jwt.encode_sign", &[DICT, DICT, DICT], STRING)
        .run(jwt::encode_sign)
        .nondeterministic(),
    row("io.jwt.encode_sign_raw", &[STRING, STRING, STRING], STRING)
        .run(jwt::encode_sign_raw)
        .nondeterministic(),
    row("io.jwt.verify_eddsa", &[STRING, STRING], BOOLEAN).run(jwt::verify_eddsa),
    row("io.jwt.verify_es256", &[STRING, STRING], BOOLEAN).run(jwt::verify_es256),
    row("io.jwt.verify_es384", &[STRING, STRING], BOOLEAN).run(jwt::verify_es384),
    row("io.jwt.verify_es512", &[STRING, STRING], BOOLEAN).run(jwt::verify_es512),
    row("io.jwt.verify_hs256", &[STRING, STRING], BOOLEAN).run(jwt::verify_hs256),
    row("io.jwt.verify_hs384", &[STRING, STRING], BOOLEAN).run(jwt::verify_hs384),
    row("io.jwt.verify_hs512", &[STRING, STRING], BOOLEAN).run(jwt::verify_hs512),
    row("io.jwt.verify_ps256", &[STRING, STRING], BOOLEAN).run(jwt::verify_ps256),
    row("io.jwt.verify_ps384", &[STRING, STRING], BOOLEAN).run(jwt::verify_ps384),
    row("io.jwt.verify_ps512", &[STRING, STRING], BOOLEAN).run(jwt::verify_ps512),
    row("io.jwt.verify_rs256", &[STRING, STRING], BOOLEAN).run(jwt::verify_rs256),
    row("io.jwt.verify_rs384", &[STRING, STRING], BOOLEAN).run(jwt::verify_rs384),
    row("io.jwt.verify_rs512", &[STRING, STRING], BOOLEAN).run(jwt::verify_rs512),
    row("is_array", &[ANY], BOOLEAN).run(casts::is_array),
    row("is_boolean", &[ANY], BOOLEAN).run(casts::is_boolean),
    row("is_null", &[ANY], BOOLEAN).run(casts::is_null),
    row("is_number", &[ANY], BOOLEAN).run(casts::is_number),
    row("is_object", &[ANY], BOOLEAN).run(casts::is_object),
    row("is_set", &[ANY], BOOLEAN).run(casts::is_set),
    row("is_string", &[ANY], BOOLEAN).run(casts::is_string),
    row("json.filter", &[OBJECT, PATHS], OBJECT).run(json_paths::filter),
    row("json.is_valid", &[STRING], BOOLEAN).run(json_text::is_valid),
    row("json.marshal", &[ANY], STRING).run(json_text::marshal),
    row(
        "json.marshal_with_options",
        &[
            ANY,
            Type::Object(
                &[("indent", STRING), ("prefix", STRING), ("pretty", BOOLEAN)],
                Some((&STRING, &ANY)),
            ),
        ],
        STRING,
    )
    .run(json_text::marshal_with_options),
    row(
        "json.match_schema",
        &[STRING_OR_OBJECT, STRING_OR_OBJECT],
        Type::Array(
            &[
                BOOLEAN,
                Type::Array(
                    &[],
                    Some(&Type::Object(
                        &[
                            ("desc", STRING),
                            ("error", STRING),
                            ("field", STRING),
                            ("type", STRING),
                        ],
                        None,
                    )),
                ),
            ],
            None,
        ),
    )
    .run(json_schema::match_schema)
    .nondeterministic(),
    row(
        "json.patch",
        &[
            ANY,
            Type::Array(
                &[],
                Some(&Type::Object(
                    &[("op", STRING), ("path", ANY)],
                    Some((&ANY, &ANY)),
                )),
            ),
        ],
        ANY,
    )
    .run(json_patch::patch),
    row("json.remove", &[OBJECT, PATHS], OBJECT).run(json_paths::remove),
    row("json.unmarshal", &[STRING], ANY).run(json_text::unmarshal),
    row(
        "json.verify_schema",
        &[STRING_OR_OBJECT],
        Type::Array(&[BOOLEAN, Type::Or(&[NULL, STRING])], None),
    )
    .run(json_schema::verify_schema)
    .nondeterministic(),
    row("lower", &[STRING], STRING).run(strings::lower),
    row("lt", &[ANY, ANY], BOOLEAN).run(operators::lt),
    row("lte", &[ANY, ANY], BOOLEAN).run(operators::lte),
    row("max", &[LIST_OR_SET], ANY).run(aggregates::max),
    row("min", &[LIST_OR_SET], ANY).run(aggregates::min),
    row("minus", &[NUMBER_OR_SET, NUMBER_OR_SET], NUMBER_OR_SET).run(operators::minus),
    row("mul", &[NUMBER, NUMBER], NUMBER).run(operators::mul),
    row("neq", &[ANY, ANY], BOOLEAN).run(operators::neq),
    row("net.cidr_contains", &[STRING, STRING], BOOLEAN).run(net::cidr_contains),
    row(
        "net.cidr_contains_matches",
        &[CIDRS, CIDRS],
        Type::Set(&Type::Array(&[ANY, ANY], None)),
    )
    .run(net::cidr_contains_matches),
    row("net.cidr_expand", &[STRING], STRING_SET).run(net::cidr_expand),
    row("net.cidr_intersects", &[STRING, STRING], BOOLEAN).run(net::cidr_intersects),
    row("net.cidr_is_valid", &[STRING], BOOLEAN).run(net::cidr_is_valid),
    row("net.cidr_merge", &[Type::Or(&[STRINGS, STRING_SET])], STRING_SET).run(net::cidr_merge),
    row("net.cidr_overlap", &[STRING, STRING], BOOLEAN)
        .run(net::cidr_contains)
        .deprecated(),
    row("net.lookup_ip_addr", &[STRING], STRING_SET).nondeterministic(),
    row("numbers.range", &[NUMBER, NUMBER], NUMBERS).run(numbers::range),
    row("numbers.range_step", &[NUMBER, NUMBER, NUMBER], NUMBERS).run(numbers::range_step),
    row("object.filter", &[OBJECT, COLLECTION], OBJECT).run(objects::filter),
    row("object.get", &[OBJECT, ANY, ANY], ANY).run(objects::get),
    row("object.keys", &[OBJECT], SET).run(objects::keys),
    row("object.remove", &[OBJECT, COLLECTION], OBJECT).run(objects::remove),
    row("object.subset", &[COLLECTION, COLLECTION], BOOLEAN).run(objects::subset),
    row("object.union", &[OBJECT, OBJECT], OBJECT).run(objects::union),
    row("object.union_n", &[Type::Array(&[], Some(&OBJECT))], OBJECT).run(objects::union_n),
    row("opa.runtime", &[], DICT)
        .run(host::runtime)
        .nondeterministic(),
    row("or", &[SET, SET], SET).run(sets::or),
    row("plus", &[NUMBER, NUMBER], NUMBER).run(operators::plus),
    row("print", &[], ANY).run(operators::erased),
    row("product", &[NUMBERS_OR_SET], NUMBER).run(aggregates::product),
    row("providers.aws.sign_req", &[DICT, DICT, NUMBER], OBJECT).run(aws::sign_req),
    row("rand.intn", &[STRING, NUMBER], NUMBER)
        .run(numbers::rand_intn)
        .nondeterministic(),
    row("re_match", &[STRING, STRING], BOOLEAN)
        .run(regex::is_match)
        .deprecated(),
    row(
        "regex.find_all_string_submatch_n",
        &[STRING, STRING, NUMBER],
        Type::Array(&[], Some(&STRINGS)),
    )
    .run(regex::find_all_submatch_n),
    row("regex.find_n", &[STRING, STRING, NUMBER], STRINGS).run(regex::find_n),
    row("regex.globs_match", &[STRING, STRING], BOOLEAN).run(globs_match::globs_match),
    row("regex.is_valid", &[STRING], BOOLEAN).run(regex::is_valid),
    row("regex.match", &[STRING, STRING], BOOLEAN).run(regex::is_match),
    row("regex.replace", &[STRING, STRING, STRING], STRING).run(regex::replace),
    row("regex.split", &[STRING, STRING], STRINGS).run(regex::split),
    row("regex.template_match", &[STRING, STRING, STRING, STRING], BOOLEAN).run(regex::template_match),
    row("rego.metadata.chain", &[], ARRAY).run(host::metadata),
    row("rego.metadata.rule", &[], ANY).run(host::metadata),
    row("rego.parse_module", &[STRING, STRING], DICT).run(host::parse_module),
    row("rem", &[NUMBER, NUMBER], NUMBER).run(operators::rem),
    row("replace", &[STRING, STRING, STRING], STRING).run(strings::replace),
    row("round", &[NUMBER], NUMBER).run(numbers::round),
    row("semver.compare", &[STRING, STRING], NUMBER).run(versions::compare),
    row("semver.is_valid", &[ANY], BOOLEAN).run(versions::is_valid),
    row("set_diff", &[SET, SET], SET).run(sets::diff).deprecated(),
    row("sort", &[LIST_OR_SET], ARRAY).run(aggregates::sort),
    row("split", &[STRING, STRING], STRINGS).run(strings::split),
    row("sprintf", &[STRING, ARRAY], STRING).run(sprintf::sprintf),
    row("startswith", &[STRING, STRING], BOOLEAN).run(strings::startswith),
    row(
        "strings.any_prefix_match",
        &[STRING_OR_STRINGS, STRING_OR_STRINGS],
        BOOLEAN,
    )
    .run(strings::any_prefix_match),
    row(
        "strings.any_suffix_match",
        &[STRING_OR_STRINGS, STRING_OR_STRINGS],
        BOOLEAN,
    )
    .run(strings::any_suffix_match),
    row("strings.count", &[STRING, STRING], NUMBER).run(strings::count),
    row("strings.render_template", &[STRING, DICT], STRING).run(text_template::render),
    row("strings.replace_n", &[STRING_DICT, STRING], STRING).run(strings::replace_n),
    row("strings.reverse", &[STRING], STRING).run(strings::reverse),
    row("strings.split_n", &[STRING, STRING, NUMBER], STRINGS).run(strings::split_n),
    row("substring", &[STRING, NUMBER, NUMBER], STRING).run(strings::substring),
    row("sum", &[NUMBERS_OR_SET], NUMBER).run(aggregates::sum),
    row("test.sleep", &[STRING], NULL).run(host::sleep).harness(),
    row("test.touch", &[STRING], BOOLEAN).run(host::touch).harness(),
    row("time.add_date", &[NUMBER, NUMBER, NUMBER, NUMBER], NUMBER).run(time::add_date),
    row("time.clock", &[MOMENT], TRIPLE).run(time::clock),
    row("time.date", &[MOMENT], TRIPLE).run(time::date),
    row(
        "time.diff",
        &[MOMENT, MOMENT],
        Type::Array(&[NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER], None),
    )
    .run(time::diff),
    row(
        "time.format",
        &[Type::Or(&[
            NUMBER,
            Type::Array(&[NUMBER, STRING], None),
            Type::Array(&[NUMBER, STRING, STRING], None),
        ])],
        STRING,
    )
    .run(time::format),
    row("time.now_ns", &[], NUMBER)
        .run(host::now_ns)
        .nondeterministic(),
    row("time.parse_duration_ns", &[STRING], NUMBER).run(time::parse_duration_ns),
    row("time.parse_ns", &[STRING, STRING], NUMBER).run(time::parse_ns),
    row("time.parse_rfc3339_ns", &[STRING], NUMBER).run(time::parse_rfc3339_ns),
    row("time.weekday", &[MOMENT], STRING).run(time::weekday),
    row("to_number", &[Type::Or(&[NULL, BOOLEAN, NUMBER, STRING])], NUMBER).run(casts::to_number),
    row("trace", &[STRING], BOOLEAN).run(host::trace),
    row("trim", &[STRING, STRING], STRING).run(strings::trim),
    row("trim_left", &[STRING, STRING], STRING).run(strings::trim_left),
    row("trim_prefix", &[STRING, STRING], STRING).run(strings::trim_prefix),
    row("trim_right", &[STRING, STRING], STRING).run(strings::trim_right),
    row("trim_space", &[STRING], STRING).run(strings::trim_space),
    row("trim_suffix", &[STRING, STRING], STRING).run(strings::trim_suffix),
    row("type_name", &[ANY], STRING).run(casts::type_name),
    row("union", &[SETS], SET).run(sets::union),
    row("units.parse", &[STRING], NUMBER).run(units::parse),
    row("units.parse_bytes", &[STRING], NUMBER).run(units::parse_bytes),
    row("upper", &[STRING], STRING).run(strings::upper),
    row("uri.is_valid", &[STRING], BOOLEAN).run(uri::is_valid),
    row("uri.parse", &[STRING], STRING_DICT).run(uri::parse),
    row("urlquery.decode", &[STRING], STRING).run(encoding::query_decode),
    row(
        "urlquery.decode_object",
        &[STRING],
        Type::Object(&[], Some((&STRING, &STRINGS))),
    )
    .run(encoding::query_decode_object),
    row("urlquery.encode", &[STRING], STRING).run(encoding::query_encode),
    row(
        "urlquery.encode_object",
        &[Type::Object(&[], Some((&STRING, &STRING_OR_STRINGS)))],
        STRING,
    )
    .run(encoding::query_encode_object),
    row("uuid.parse", &[STRING], DICT).run(uuid::parse),
    row("uuid.rfc4122", &[STRING], STRING)
        .run(uuid::rfc4122)
        .nondeterministic(),
    row("walk", &[ANY], Type::Array(&[ARRAY, ANY], None))
        .run(walk::walk)
        .relation(),
    row("yaml.is_valid", &[STRING], BOOLEAN).run(yaml::is_valid),
    row("yaml.marshal", &[ANY], STRING).run(yaml::marshal),
    row("yaml.unmarshal", &[STRING], ANY).run(yaml::unmarshal),
];

/// The builtin of a name. O(log n).
#[must_use]
pub fn find(name: &str) -> Option<BuiltinId> {
    find_row(name).filter(|id| !id.get().harness)
}

/// As [`find`], for those that only OPA's own test binary has.
#[must_use]
pub fn find_harness(name: &str) -> Option<BuiltinId> {
    find_row(name).filter(|id| id.get().harness)
}

fn find_row(name: &str) -> Option<BuiltinId> {
    let at = BUILTINS.binary_search_by(|row| row.name.cmp(name)).ok()?;
    u16::try_from(at).ok().map(BuiltinId)
}

const fn row(name: &'static str, args: &'static [Type], result: Type) -> Builtin {
    Builtin {
        name,
        args,
        result,
        relation: false,
        deprecated: false,
        nondeterministic: false,
        harness: false,
        network: false,
        run: None,
    }
}

impl Builtin {
    const fn run(mut self, run: BuiltinFn) -> Builtin {
        self.run = Some(run);
        self
    }

    const fn relation(mut self) -> Builtin {
        self.relation = true;
        self
    }

    const fn deprecated(mut self) -> Builtin {
        self.deprecated = true;
        self
    }

    const fn harness(mut self) -> Builtin {
        self.harness = true;
        self.nondeterministic()
    }

    const fn network(mut self) -> Builtin {
        self.network = true;
        self.nondeterministic()
    }

    const fn nondeterministic(mut self) -> Builtin {
        self.nondeterministic = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_by_name_without_twins() {
        assert!(BUILTINS.is_sorted_by(|a, b| a.name < b.name));
        assert_eq!(BUILTINS.iter().filter(|row| !row.harness).count(), 206);
    }

    #[test]
    fn names_are_found() {
        assert!(
            BUILTINS
                .iter()
                .filter(|row| !row.harness)
                .all(|row| find(row.name).is_some_and(|id| id.get().name == row.name))
        );
        assert_eq!(find("no.such"), None);
        assert_eq!(find("test.sleep"), None);
        assert!(find_harness("test.sleep").is_some() && find_harness("count").is_none());
    }
}
