"""The example requests of the two source documents on collection, word for word. Where a document shows only the kinds
of the fields, values of those kinds stand here."""

S4_COMMAND = """{
  "user_id": "uuid",
  "command_name": "plan-product",
  "execution_time_ms": 1500,
  "status": "success",
  "context": { "session_id": "session-123" }
}"""

S4_AGENT = """{
  "user_id": "uuid",
  "agent_name": "frontend-developer",
  "interaction_type": "code_generation",
  "execution_time_ms": 3000,
  "status": "success",
  "input_tokens": 500,
  "output_tokens": 1200
}"""

S5_COMMAND = """{
  "command_name": "claude_code_generate",
  "command_args": {
    "language": "typescript",
    "framework": "express"
  },
  "execution_time_ms": 1250,
  "status": "success",
  "context": {
    "project_type": "web_service",
    "complexity": "medium"
  }
}"""

S5_AGENT = """{
  "agent_name": "frontend-developer",
  "interaction_type": "tool_call",
  "input_tokens": 450,
  "output_tokens": 1200,
  "processing_time_ms": 3400,
  "success": true,
  "metadata": {
    "task": "component_generation",
    "framework": "react",
    "complexity_score": 7.5
  }
}"""

S5_PRODUCTIVITY = """{
  "metric_type": "completion_rate",
  "value": 8.5,
  "unit": "tasks_per_hour",
  "period_start": "2025-09-08T00:00:00Z",
  "period_end": "2025-09-08T23:59:59Z",
  "dimensions": {"complexity": "medium"}
}"""

S5_BATCH = """{
  "command_executions": [
    {
      "command_name": "generate_component",
      "execution_time_ms": 1200,
      "status": "success",
      "command_args": {"type": "react"},
      "context": {"project": "web_app"}
    }
  ],
  "agent_interactions": [
    {
      "agent_name": "frontend-developer",
      "interaction_type": "tool_call",
      "input_tokens": 300,
      "output_tokens": 800,
      "processing_time_ms": 2100,
      "success": true,
      "metadata": {"task": "component_creation"}
    }
  ],
  "productivity_metrics": [
    {
      "metric_type": "completion_rate",
      "value": 8.5,
      "unit": "tasks_per_hour",
      "period_start": "2025-09-08T09:00:00Z",
      "period_end": "2025-09-08T10:00:00Z",
      "dimensions": {"complexity": "medium"}
    }
  ]
}"""

# The document's batch has `[...]` for its lists: its own single examples fill them, and the one metric of the other.
S4_BATCH = f"""{{
  "command_executions": [{S4_COMMAND}],
  "agent_interactions": [{S4_AGENT}],
  "productivity_metrics": [{S5_PRODUCTIVITY}],
  "timestamp": "2025-09-05T10:00:00Z"
}}"""

S4 = [
    ("POST", "/api/metrics/commands", S4_COMMAND),
    ("POST", "/api/metrics/agents", S4_AGENT),
    ("POST", "/api/metrics/batch", S4_BATCH),
    ("POST", "/api/metrics/sessions/start", '{"user_id": "uuid", "session_id": "session-123", "context": {}}'),
    (
        "PUT",
        "/api/metrics/sessions/session-123",
        '{"commands_executed": 3, "agents_used": ["frontend-developer"], "context": {"task": "review"}}',
    ),
]

S5 = [
    ("POST", "/api/v1/metrics/command-execution", S5_COMMAND),
    ("POST", "/api/v1/metrics/agent-interaction", S5_AGENT),
    ("POST", "/api/v1/metrics/productivity", S5_PRODUCTIVITY),
    ("POST", "/api/v1/metrics/batch", S5_BATCH),
    ("POST", "/api/v1/metrics/session/start", '{"session_id": "session-456", "context": {"project": "web_app"}}'),
    (
        "PUT",
        "/api/v1/metrics/session/session-456",
        '{"commands_executed": 12, "agents_used": ["agent1", "agent2"], "context": {"branch": "main"}}',
    ),
    ("POST", "/api/v1/metrics/session/end", '{"session_id": "session-456", "productivity_score": 87.5}'),
]

# The queries of the collection document that this server answers, with its parameters.
S4_QUERIES = [
    (
        "/api/metrics/aggregated",
        {
            "start_date": "2025-09-05T00:00:00Z",
            "end_date": "2025-09-05T23:59:59Z",
            "user_id": "uuid",
            "aggregation_window": "1h",
            "limit": "100",
        },
    ),
    (
        "/api/metrics/commands",
        {
            "start_date": "2025-09-05T00:00:00Z",
            "end_date": "2025-09-05T23:59:59Z",
            "command_name": "plan-product",
            "status": "success",
        },
    ),
]
