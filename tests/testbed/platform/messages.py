# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The messages of the platform that its emulator knows (platform facts §2 to §8)."""

from __future__ import annotations

from tests.testbed.platform.schema import message

NOTHING = message("Empty")
YES_NO = message("YesOrNo", "result:bool")
ID = message("IDOptions", "id")
PAGE = message("ListOptions", "page_size:int32 page:int32 context_id")
LIST = message("ListRequest", "context_id organization_id project_id", options=PAGE)
API_VERSION = message("Version", "major:int32 minor:int32 patch:int32")
BUDGET = message("Budget", "used:int64 available:int64 unlimited:bool")

# iam §2
AUTHENTICATE = message("AuthenticateAPIKeyRequest", "id secret time_to_live:duration")
TOKEN_LIFE = message("RenewAPIKeyTokenRequest", "token time_to_live:duration")
TOKEN = message("AuthenticateAPIKeyResponse", "token time_to_live:duration")
KEY = message(
    "APIKey",
    "id url user_id organization_id is_readonly:bool created_at:timestamp expires_at:timestamp is_expired:bool "
    "revoked_at:timestamp is_revoked:bool",
)
PERMISSIONS = message("HasPermissionsRequest", "url permissions:string*")
PERMISSION_LIST = message("PermissionList", "items:string*")

# data §3
REPLACE_BY = message("ReplaceVersionBy", "version reason auto_update_date:timestamp")
VERSION = message("Version", "version release_notes_url is_end_of_life:bool", replace_by=REPLACE_BY)
VERSION_LIST = message("VersionList", items=[VERSION])
VERSIONS = message("ListVersionsRequest", "organization_id current_version", options=PAGE)
SERVERS_SPEC = message(
    "ServersSpec",
    "coordinators:int32 coordinator_memory_size:int32 coordinator_args:string* dbservers:int32 "
    "dbserver_memory_size:int32 dbserver_disk_size:int32 dbserver_args:string* minimum_dbservers_count:int32 "
    "minimum_dbserver_disk_size:int32",
)
MODEL_SPEC = message("ModelSpec", "model node_size_id node_count:int32 node_disk_size:int32 node_type node_size:int32")
VOLUME = message(
    "DataVolumeInfo",
    "total_bytes:int64 used_bytes:int64 available_bytes:int64 total_inodes:int64 used_inodes:int64 "
    "available_inodes:int64 measured_at:timestamp",
)
SERVER = message(
    "ServerStatus",
    "id type description created_at:timestamp ready:bool member_of_cluster:bool failed:bool creating:bool ok:bool "
    "bad:bool upgrading:bool synchronizing:bool version last_started_at:timestamp rotation_pending:bool "
    "can_be_deleted:bool is_leader:bool recent_restarts:int32 last_memory_usage:int64 last_memory_limit:int64 "
    "last_cpu_usage:float last_cpu_limit:float",
    data_volume_info=VOLUME,
)
RESTORE_STATUS = message(
    "BackupRestoreStatus", "revision:int32 last_updated_at:timestamp restoring:bool status failure_reason"
)
STATUS = message(
    "DeploymentStatus",
    "endpoint description created:bool ready:bool upgrading:bool server_versions:string* bootstrapped_at:timestamp "
    "bootstrapped:bool endpoint_self_signed endpoint_default is_up_to_date:bool total_backup_size_bytes:int64 "
    "backup_upload_in_progress:bool private_endpoint:bool private_endpoint_only:bool endpoint_private_endpoint "
    "endpoint_private_endpoint_self_signed endpoint_private_endpoint_default read_only:bool",
    servers=[SERVER],
    backup_restore_status=RESTORE_STATUS,
)
NOTIFICATION = message(
    "Notification",
    "notification severity:severity created_at:timestamp updated_at:timestamp expires_at:timestamp",
)
DEPLOYMENT = message(
    "Deployment",
    "id url name description project_id region_id created_at:timestamp created_by_id support_plan_id "
    "is_deleted:bool deleted_at:timestamp locked:bool is_paused:bool last_paused_at:timestamp "
    "last_resumed_at:timestamp version version_is_end_of_life:bool ipallowlist_id iamprovider_id "
    "disk_performance_id disk_performance_locked:bool disk_rate_limit_period:duration "
    "disk_rate_limit_active:duration last_disk_size_updated_at:timestamp "
    "last_disk_performance_updated_at:timestamp private_endpoint:bool disable_foxx_authentication:bool "
    "is_scheduled_root_password_rotation_enabled:bool last_root_password_rotated_at:timestamp "
    "is_platform_authentication_enabled:bool drop_vst_support:bool is_clone:bool clone_backup_id "
    "prepaid_deployment_id prepaid_deployment_starts_at:timestamp prepaid_deployment_ends_at:timestamp "
    "deployment_profile_id custom_image intended_use_case arangodb_platform_bundle arangodb_platform_enabled:bool",
    replace_version_by=REPLACE_BY,
    upgrade_recommendation=message("VersionUpgradeRecommendation", "version reason"),
    certificates=message("CertificateSpec", "ca_certificate_id alternate_dns_names:string*"),
    servers=SERVERS_SPEC,
    model=MODEL_SPEC,
    status=STATUS,
    size=message(
        "DeploymentSize",
        "agents:int32 agent_memory_size:int32 agent_disk_size:int32 total_memory_size:int32 total_disk_size:int32 "
        "coordinators:int32 coordinator_memory_size:int32 dbservers:int32 dbserver_memory_size:int32 "
        "dbserver_disk_size:int32 gateways:int32 gateway_memory_size:float",
    ),
    expiration=message(
        "Expiration",
        "expires_at:timestamp reason last_warning_email_send_at:timestamp last_warning_email_send_to:string*",
    ),
    backup_restore=message("BackupRestoreSpec", "revision:int32 last_updated_at:timestamp restored_by_id backup_id"),
    notifications={"": NOTIFICATION},
    notification_settings=message("NotificationSettings", "email_addresses:string*"),
    disk_auto_size_settings=message("DiskAutoSizeSettings", "maximum_node_disk_size:int32"),
)
DEPLOYMENT_LIST = message("DeploymentList", items=[DEPLOYMENT], budget=BUDGET)
CREDENTIALS_WISH = message("DeploymentCredentialsRequest", "deployment_id reason")
CREDENTIALS = message("DeploymentCredentials", "username password")
DEPLOYMENT_FILTER = message(
    "ListDeploymentsByFilterRequest",
    "organization_id project_id region_id expires_after:timestamp expires_before:timestamp does_not_expire:bool",
    options=PAGE,
)
SERVER_ID = message("RotateServerRequest", "deployment_id server_id")
NODE_SIZES_WISH = message("NodeSizesRequest", "project_id region_id deployment_id model")
NODE_SIZE = message(
    "NodeSize", "id name memory_size:int32 min_disk_size:int32 max_disk_size:int32 cpu_size disk_sizes:int32*"
)
NODE_SIZE_LIST = message("NodeSizeList", items=[NODE_SIZE])
MODEL_WISH = message("ListDeploymentModelsRequest", "project_id deployment_id", options=PAGE)
MODEL = message(
    "DeploymentModel",
    "id name deployment_ttl:int64",
    features=message(
        "DeploymentModelFeatures",
        "ml_free_trial:bool private_endpoints:bool metrics_endpoint:bool backup_uploads:bool",
    ),
)
MODEL_LIST = message("DeploymentModelList", items=[MODEL])
PERFORMANCES_WISH = message("ListDiskPerformancesRequest", "deployment_id", options=PAGE)
PERFORMANCE_WISH = message("GetDiskPerformanceRequest", "disk_performance_id region_id")
PERFORMANCE = message("DiskPerformance", "id name description is_default:bool")
PERFORMANCE_LIST = message("DiskPerformanceList", items=[PERFORMANCE])
SIZE_WISH = message("DeploymentSizeRequest", "dataset_size:int32 usecase model")
SIZE_ADVICE = message(
    "DeploymentSizeRecommendation",
    "node_memory_size:int32 node_disk_size:int32 node_count:int32 exceeds_quota:bool exceeds_platform:bool",
)
IMPORT_HELP = message(
    "ImportDataInstructions",
    "import_dump:string* arango_import_json:string* arango_import_csv:string* arango_import_tsv:string*",
)
DRIVER_HELP = message(
    "ConnectDriverInstructions", drivers=[message("Driver", "name code:string* remarks:string* driver_url")]
)

# crypto §4, security and network §5
CERTIFICATE = message(
    "CACertificate",
    "id url name description project_id lifetime:duration created_at:timestamp deleted_at:timestamp "
    "expires_at:timestamp certificate_pem is_deleted:bool is_expired:bool will_expire_soon:bool "
    "rotation_needed:bool is_default:bool use_well_known_certificate:bool locked:bool cloned_from_id",
)
CERTIFICATE_LIST = message("CACertificateList", items=[CERTIFICATE])
CERTIFICATE_HELP = message(
    "CACertificateInstructions",
    platforms=[message("Platform", "platform install_steps:string* uninstall_steps:string*")],
)
ALLOWLIST = message(
    "IPAllowlist",
    "id url name description project_id cidr_ranges:string* created_at:timestamp created_by_id is_deleted:bool "
    "deleted_at:timestamp remote_inspection_allowed:bool locked:bool warnings:string*",
)
ALLOWLIST_LIST = message("IPAllowlistList", items=[ALLOWLIST])
PRIVATE_ENDPOINT = message(
    "PrivateEndpointService",
    "id url name deployment_id created_at:timestamp alternate_dns_names:string*",
    status=message("PrivateEndpointServiceStatus", "ready:bool needs_attention:bool message"),
)

# monitoring, metrics, notification, events, audit §6
METRICS_WISH = message(
    "GetMetricsRequest",
    "deployment_id start_at:timestamp end_at:timestamp server_type metric_type",
)
METRICS = message(
    "Metrics",
    metrics=[message("Metric", "server_id", samples=[message("Sample", "timestamp:timestamp value:float")])],
)
LOGS_WISH = message(
    "GetDeploymentLogsRequest",
    "deployment_id role format server_id start_at:timestamp end_at:timestamp limit:int32",
)
CHUNK = message("DeploymentLogsChunk", "chunk")
METRICS_TOKEN = message(
    "Token",
    "id url name description deployment_id lifetime:duration created_at:timestamp expires_at:timestamp token "
    "is_revoked:bool revoked_at:timestamp",
)
METRICS_ENDPOINT_WISH = message("GetMetricsEndpointRequest", "deployment_id")
METRICS_ENDPOINT = message("MetricsEndpoint", "endpoint endpoint_self_signed endpoint_default")
MAILS_WISH = message("ListDeploymentNotificationsRequest", "deployment_id unread_only:bool", options=PAGE)
MAIL_LIST = message(
    "DeploymentNotificationList",
    items=[
        message(
            "DeploymentNotification",
            "id type created_at:timestamp title recipients:string* is_read:bool",
            content=[message("NotificationContent", "content_type content")],
        )
    ],
)
EVENTS_WISH = message(
    "ListEventsRequest",
    "organization_id subject_ids:string* types:string* created_after:timestamp created_before:timestamp "
    "sort_descending:bool",
    options=PAGE,
)
EVENT = message("Event", "id organization_id subject_id subject_url type reason created_at:timestamp created_with")
EVENT_LIST = message("EventList", items=[EVENT])
AUDIT_LOG = message("AuditLog", "id url name organization_id")
AUDIT_WISH = message(
    "GetAuditLogEventsRequest",
    "auditlog_id from:timestamp to:timestamp included_topics:string* limit:int32 cursor",
)
AUDIT_EVENT = message("AuditLogEvent", "timestamp:timestamp topic action user_id")

# resourcemanager, platform §6
ORGANIZATION = message(
    "Organization",
    "id url name created_at:timestamp",
    tier=message(
        "Tier",
        "id name has_backup_uploads:bool has_multi_region_backup_uploads:bool has_auditlog_feature:bool "
        "has_private_endpoints:bool",
    ),
    notifications={"": NOTIFICATION},
)
PROJECT = message("Project", "id url name organization_id created_at:timestamp is_flexible_deployments_enabled:bool")
QUOTAS_WISH = message("ListQuotasRequest", "project_id organization_id kinds:string*", options=PAGE)
QUOTA_LIST = message("QuotaList", items=[message("Quota", "kind description limit:int64")])
REGION = message("Region", "id provider_id location available:bool low_stock:bool")

# backup §7
UPLOAD_STATUS = message("UploadStatus", "uploaded:bool uploaded_at:timestamp size_bytes:int64")
BACKUP = message(
    "Backup",
    "id url name description deployment_id backup_policy_id created_at:timestamp created_by_id "
    "auto_deleted_at:timestamp is_deleted:bool deleted_at:timestamp upload:bool upload_updated_at:timestamp "
    "upload_only:bool",
    deployment_info=message("DeploymentInfo", "version", servers=SERVERS_SPEC, model=MODEL_SPEC),
    status=message(
        "BackupStatus",
        "created_at:timestamp version state is_failed:bool message progress size_bytes:int64 available:bool "
        "dbservers:int32 upload_only:bool",
        upload_status=UPLOAD_STATUS,
    ),
)
BACKUP_LIST = message("BackupList", items=[BACKUP])
BACKUPS_WISH = message(
    "ListBackupsRequest",
    "deployment_id from:timestamp to:timestamp good_only:bool sort_by_created:bool sort_descending:bool",
    options=PAGE,
)
POLICY = message(
    "BackupPolicy",
    "id url name deployment_id created_at:timestamp is_paused:bool upload:bool",
    schedule=message(
        "Schedule", "schedule_type", hourly_schedule=message("Hourly", "schedule_every_interval_hours:int32")
    ),
    status=message("BackupPolicyStatus", "next_backup:timestamp"),
)
POLICY_LIST = message("BackupPolicyList", items=[POLICY])
POLICIES_WISH = message("ListBackupPoliciesRequest", "deployment_id", options=PAGE)

# replication §8
REPLICATION = message("DeploymentReplication", "deployment_id started:bool")
CLONE = message("CloneDeploymentFromBackupRequest", "backup_id region_id project_id accepted_terms_and_conditions_id")
MIGRATION = message(
    "DeploymentMigration",
    "id source_deployment_id created_at:timestamp",
    target=message("DeploymentMigrationTarget", "name project_id region_id", model=MODEL_SPEC),
    status=message("DeploymentMigrationStatus", "phase description target_deployment_id"),
)
