//! What a request to DynamoDB takes: the one reading of requests for everything that holds them against what is allowed.

use serde_json::Value;

/// An action of IAM on a table, or on an index of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Without the service's name.
    pub action: String,
    /// Empty where the request names none, which no policy allows.
    pub table: String,
    /// Where it is asked of an index and not of the table itself.
    pub index: Option<String>,
}

/// From the header `x-amz-target` and the body. A transaction takes the actions of its parts, and none of its own.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
pub fn dynamo(target: &str, body: &[u8]) -> Vec<Need> {
    let operation = target.split('.').next_back().unwrap_or_default();
    let body: Value = serde_json::from_slice(body).expect("a request is JSON");
    let need = |action: &str, part: &Value| Need {
        action: action.to_owned(),
        table: part["TableName"].as_str().unwrap_or_default().to_owned(),
        index: part["IndexName"].as_str().map(str::to_owned),
    };
    let parts = body["TransactItems"].as_array().filter(|_| operation == "TransactWriteItems");
    let Some(parts) = parts else { return vec![need(operation, &body)] };
    let parts = parts.iter().filter_map(Value::as_object).flatten();
    let parts = parts.map(|(kind, part)| match kind.as_str() {
        "ConditionCheck" => need("ConditionCheckItem", part),
        kind => need(&format!("{kind}Item"), part),
    });
    parts.collect()
}
