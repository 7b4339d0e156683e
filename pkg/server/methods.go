package server

import (
	"time"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
)

// rule says who may call a method and for how long. Statements are checked again,
// by signature, in package flow.
type rule struct {
	roles    []carnet.Role // any of them; none: any registered party
	stranger bool          // a certificate is enough: the call brings its own proof
	within   time.Duration // deadline set by the gateway; 0: none
	waits    bool          // waits for news: ends when the gateway shuts down
}

const (
	quick  = 30 * time.Second
	medium = 2 * time.Minute
	long   = 15 * time.Minute
	day    = 24 * time.Hour
)

var (
	anyone     []carnet.Role
	owners     = []carnet.Role{carnet.RoleOwner}
	publishers = []carnet.Role{carnet.RoleOwner, carnet.RoleOperator}
	buyers     = []carnet.Role{carnet.RoleBuyer}
	keyholders = []carnet.Role{carnet.RoleKeyholder}
	witnesses  = []carnet.Role{carnet.RoleKeyholder, carnet.RoleAuditor, carnet.RoleOperator}
	opens      = []carnet.Role{carnet.RoleBuyer, carnet.RoleAuditor}
	readers    = []carnet.Role{carnet.RoleKeyholder, carnet.RoleAuditor, carnet.RoleOperator, carnet.RoleOwner}
)

// rules has every method there is; a test compares it with the services.
var rules = map[string]rule{
	// The registrar's signature decides about these three, whoever delivers them.
	carnetv1.RegistryService_RevokeParty_FullMethodName:       {stranger: true, within: quick},
	carnetv1.RegistryService_RegisterParty_FullMethodName:     {stranger: true, within: quick},
	carnetv1.RegistryService_RegisterCommittee_FullMethodName: {stranger: true, within: quick},
	carnetv1.RegistryService_GetParty_FullMethodName:          {roles: anyone, within: quick},
	carnetv1.RegistryService_ListParties_FullMethodName:       {roles: anyone, within: quick},
	carnetv1.RegistryService_GetCommittee_FullMethodName:      {roles: anyone, within: quick},
	carnetv1.RegistryService_ListCommittees_FullMethodName:    {roles: anyone, within: quick},
	carnetv1.RegistryService_RegisterSchema_FullMethodName:    {roles: publishers, within: quick},
	carnetv1.RegistryService_GetSchema_FullMethodName:         {roles: anyone, within: quick},
	carnetv1.RegistryService_ListSchemas_FullMethodName:       {roles: anyone, within: quick},

	carnetv1.DealingService_SubmitDealing_FullMethodName:     {roles: owners, within: long},
	carnetv1.DealingService_GetDealing_FullMethodName:        {roles: anyone, within: quick},
	carnetv1.DealingService_GetCorrections_FullMethodName:    {roles: anyone, within: long},
	carnetv1.DealingService_GetSealedSeeds_FullMethodName:    {roles: keyholders, within: quick},
	carnetv1.DealingService_ConfirmSeeds_FullMethodName:      {roles: keyholders, within: quick},
	carnetv1.DealingService_RetireKey_FullMethodName:         {roles: owners, within: quick},
	carnetv1.DealingService_RedealKey_FullMethodName:         {roles: owners, within: quick},
	carnetv1.DealingService_SubmitDestruction_FullMethodName: {roles: keyholders, within: quick},

	carnetv1.ReshareService_SubmitSuccession_FullMethodName:    {roles: owners, within: quick},
	carnetv1.ReshareService_GetSuccession_FullMethodName:       {roles: anyone, within: quick},
	carnetv1.ReshareService_SubmitContribution_FullMethodName:  {roles: keyholders, within: long},
	carnetv1.ReshareService_GetHandedSeeds_FullMethodName:      {roles: keyholders, within: quick},
	carnetv1.ReshareService_GetHandedCorrection_FullMethodName: {roles: keyholders, within: long},
	carnetv1.ReshareService_SubmitResharing_FullMethodName:     {roles: keyholders, within: medium},

	carnetv1.DatasetService_BeginUpload_FullMethodName:   {roles: owners, within: quick},
	carnetv1.DatasetService_UploadPieces_FullMethodName:  {roles: owners, within: day},
	carnetv1.DatasetService_GetUpload_FullMethodName:     {roles: owners, within: quick},
	carnetv1.DatasetService_CommitDataset_FullMethodName: {roles: owners, within: long},
	carnetv1.DatasetService_GetDataset_FullMethodName:    {roles: anyone, within: quick},
	carnetv1.DatasetService_ListDatasets_FullMethodName:  {roles: anyone, within: quick},
	carnetv1.DatasetService_RevokeDataset_FullMethodName: {roles: owners, within: quick},
	carnetv1.DatasetService_ReadPieces_FullMethodName:    {roles: readers, within: day},

	carnetv1.CatalogueService_RegisterProduct_FullMethodName: {roles: publishers, within: quick},
	carnetv1.CatalogueService_GetProduct_FullMethodName:      {roles: anyone, within: quick},
	carnetv1.CatalogueService_SearchProducts_FullMethodName:  {roles: anyone, within: quick},

	carnetv1.QueryService_ExplainQuery_FullMethodName: {roles: anyone, within: medium},
	carnetv1.QueryService_SubmitQuery_FullMethodName:  {roles: buyers, within: medium},
	carnetv1.QueryService_GetQuery_FullMethodName:     {roles: anyone, within: quick},
	carnetv1.QueryService_WatchQuery_FullMethodName:   {roles: anyone, waits: true},
	carnetv1.QueryService_ListQueries_FullMethodName:  {roles: anyone, within: quick},
	carnetv1.QueryService_FetchAnswer_FullMethodName:  {roles: opens, within: long},

	carnetv1.JournalService_Follow_FullMethodName:         {roles: witnesses, waits: true},
	carnetv1.JournalService_GetCheckpoint_FullMethodName:  {roles: anyone, within: quick},
	carnetv1.JournalService_GetInclusion_FullMethodName:   {roles: anyone, within: quick},
	carnetv1.JournalService_GetConsistency_FullMethodName: {roles: anyone, within: quick},

	carnetv1.ReleaseService_Cosign_FullMethodName:         {roles: keyholders, within: quick},
	carnetv1.ReleaseService_SubmitAnswer_FullMethodName:   {roles: keyholders, within: long},
	carnetv1.ReleaseService_SubmitCheck_FullMethodName:    {roles: keyholders, within: quick},
	carnetv1.ReleaseService_SubmitDecision_FullMethodName: {roles: keyholders, within: quick},

	carnetv1.EvidenceService_ExportEvidence_FullMethodName: {roles: anyone, within: long},

	// What a registration would need is asked before there is one.
	carnetv1.PolicyService_AssessRegistration_FullMethodName: {stranger: true, within: medium},
	carnetv1.PolicyService_AssessPublication_FullMethodName:  {roles: owners, within: quick},
	carnetv1.PolicyService_AssessQuery_FullMethodName:        {roles: anyone, within: medium},

	carnetv1.MeteringService_CertifyRegistration_FullMethodName: {roles: anyone, within: quick},
	carnetv1.MeteringService_CertifyUsage_FullMethodName:        {roles: readers, within: long},
	carnetv1.MeteringService_GetSettlement_FullMethodName:       {roles: anyone, within: long},
	carnetv1.MeteringService_GetValuation_FullMethodName:        {roles: readers, within: long},
	carnetv1.ApprovalService_ListApprovals_FullMethodName:       {roles: publishers, within: quick},
	carnetv1.ApprovalService_SubmitApproval_FullMethodName:      {roles: publishers, within: quick},
	carnetv1.ApprovalService_SubmitDeferral_FullMethodName:      {roles: keyholders, within: quick},

	"/grpc.health.v1.Health/Check": {stranger: true, within: quick},
	"/grpc.health.v1.Health/List":  {stranger: true, within: quick},
	"/grpc.health.v1.Health/Watch": {stranger: true, waits: true},
}
