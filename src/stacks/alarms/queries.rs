//! Queries that an engineer on call would otherwise write at three in the morning.

use aws::{CloudwatchLogGroupHandle, CloudwatchQueryDefinition, CloudwatchQueryDefinitionOptional};
use contract::LogField;
use terraform::{Stack, set};

use super::Inputs;
use super::service::Watched;
use crate::config::EnvConfig;

/// The latest errors of the service. What the lines of any other program than the contract's hold, nobody here knows; these
/// words are what most of them say.
pub fn service_errors(config: &EnvConfig) -> String {
    if !config.service.has_contract() {
        return "fields @timestamp, @message | filter @message like /(?i)(error|exception|fatal|panic)/ \
                | sort @timestamp desc | limit 100"
            .to_owned();
    }
    let [time, level, message, request] =
        [LogField::Timestamp, LogField::Level, LogField::Message, LogField::RequestId].map(LogField::name);
    format!(
        "fields {time}, {message}, {request} | filter {level} = \"ERROR\" | sort @timestamp desc | limit 100"
    )
}

/// Whom the web ACL refuses, and by which rule.
pub const REFUSED: &str = "filter action = \"BLOCK\" | stats count(*) as requests by terminatingRuleId, \
     httpRequest.clientIp, httpRequest.country, httpRequest.uri | sort requests desc | limit 100";

/// Saves the queries.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) {
    let [time, level, message, request] =
        [LogField::Timestamp, LogField::Level, LogField::Message, LogField::RequestId].map(LogField::name);
    let logs = &inputs.logs;
    let mut save = |identifier: &str, title: &str, group: &CloudwatchLogGroupHandle, query: String| {
        stack.add(
            identifier,
            CloudwatchQueryDefinition {
                // A slash makes a folder.
                name: set(format!("{}/{title}", config.names.prefix())),
                query_string: set(query),
                optional: CloudwatchQueryDefinitionOptional { log_group_names: set([group.name()]) },
            },
        );
    };
    save("service_errors", "Service - errors", &logs.services.main, service_errors(config));
    if config.service.has_contract() {
        save(
            "service_request",
            "Service - one request",
            &logs.services.main,
            format!(
                "fields {time}, {level}, {message}, @message | filter {request} = \"<request id>\" | sort @timestamp asc | limit 1000"
            ),
        );
        save(
            "service_errors_by_message",
            "Service - errors by message",
            &logs.services.main,
            format!(
                "filter {level} = \"ERROR\" | stats count(*) as errors, max(@timestamp) as latest by {message} | sort errors desc | limit 50"
            ),
        );
    }
    for service in Watched::all(config, inputs).filter(|service| !service.has_contract()) {
        // What another service's lines hold, nobody here knows.
        let query = "fields @timestamp, @message | sort @timestamp desc | limit 1000".to_owned();
        let title = format!("Service {} - latest", service.name());
        save(&service.address("latest"), &title, service.log(), query);
    }
    save("refused_requests", "Web ACL - refused requests", &logs.waf, REFUSED.to_owned());
    save(
        "requests_by_client",
        "Web ACL - requests by client",
        &logs.waf,
        "stats count(*) as requests by httpRequest.clientIp, httpRequest.country, action | sort requests desc | limit 100"
            .to_owned(),
    );
    if let Some(flow) = &logs.flow {
        save(
        "rejected_traffic",
        "Flow log - rejected traffic",
        flow,
        "filter action = \"REJECT\" | stats count(*) as flows, sum(packets) as packets by srcAddr, dstAddr, dstPort, \
         protocol | sort flows desc | limit 100"
            .to_owned(),
    );
        save(
        "traffic_by_destination",
        "Flow log - bytes by destination",
        flow,
        "filter action = \"ACCEPT\" | stats sum(bytes) as total by srcAddr, dstAddr, dstPort | sort total desc | limit 100"
            .to_owned(),
    );
    }
    if let Some(firewall) = &logs.firewall {
        save(
            "refused_names",
            "Network firewall - refused connections by name",
            &firewall.alerts,
            "fields coalesce(event.tls.sni, event.http.hostname, event.dest_ip) as name | stats count(*) as connections by \
             name, event.dest_port, event.src_ip | sort connections desc | limit 100"
                .to_owned(),
        );
    }
    if let Some(trail) = &logs.trail {
        let fields = "fields @timestamp, eventSource, eventName, sourceIPAddress, errorCode, awsRegion";
        let root = "filter userIdentity.type = \"Root\" and eventType != \"AwsServiceEvent\"";
        save(
            "root_calls",
            "Trail - calls of root",
            trail,
            format!("{fields} | {root} | sort @timestamp desc | limit 100"),
        );
        save(
            "calls_by_person",
            "Trail - calls that change something, by person",
            trail,
            "filter readOnly = 0 | stats count(*) as calls by userIdentity.arn, eventSource, eventName | sort calls desc \
             | limit 200"
                .to_owned(),
        );
        save(
            "refused_calls",
            "Trail - refused calls",
            trail,
            "filter errorCode like /AccessDenied|UnauthorizedOperation/ | stats count(*) as calls by userIdentity.arn, \
             eventSource, eventName, errorCode | sort calls desc | limit 100"
                .to_owned(),
        );
    }
    if let Some(errors) = &logs.export_errors {
        let query = "fields @timestamp, @logStream, @message | sort @timestamp desc | limit 100";
        save("export_errors", "Export - errors of delivery", errors, query.to_owned());
    }
}
