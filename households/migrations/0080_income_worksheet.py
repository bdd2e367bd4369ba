import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('divisions', '0001_initial'),
        ('households', '0071_household_needs'),
        ('pghistory', '0007_auto_20250421_0444'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='IncomeLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=1)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('kind', models.CharField(choices=[('wage', '工资'), ('crop', '种植'), ('animal', '养殖'), ('business', '其他经营'), ('land_rent', '土地流转租金'), ('dividend', '分红或利息'), ('other_property', '其他财产性收入'), ('family_planning', '计划生育金'), ('dibao', '低保金'), ('wubao', '五保金'), ('pension', '养老保险金'), ('ecological_compensation', '生态补偿金'), ('subsidy', '惠农补贴'), ('support', '亲属赡养或寄回'), ('other_transfer', '其他转移性收入'), ('seed', '种子种苗'), ('fertiliser', '化肥农药'), ('feed', '饲料'), ('young_animals', '仔畜幼禽'), ('machine', '机械作业'), ('hired_labour', '雇工'), ('rent_paid', '付出的租金'), ('other_expense', '其他支出')], max_length=24, verbose_name='种类')),
                ('item', models.CharField(blank=True, max_length=60, verbose_name='项目')),
                ('quantity', models.DecimalField(decimal_places=2, help_text='mu or head', max_digits=10, null=True, verbose_name='数量')),
                ('months', models.PositiveSmallIntegerField(null=True, verbose_name='月数')),
                ('monthly', models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name='每月金额')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='全年金额')),
                ('known', models.CharField(choices=[('paper', '有单据'), ('register', '部门登记'), ('estimate', '估计')], max_length=8, verbose_name='依据')),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='households.person')),
                ('sheet', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='households.sheet')),
            ],
            options={
                'ordering': ['position', 'id'],
            },
        ),
        migrations.CreateModel(
            name='IncomeLineEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('version', models.PositiveIntegerField(default=1)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('kind', models.CharField(choices=[('wage', '工资'), ('crop', '种植'), ('animal', '养殖'), ('business', '其他经营'), ('land_rent', '土地流转租金'), ('dividend', '分红或利息'), ('other_property', '其他财产性收入'), ('family_planning', '计划生育金'), ('dibao', '低保金'), ('wubao', '五保金'), ('pension', '养老保险金'), ('ecological_compensation', '生态补偿金'), ('subsidy', '惠农补贴'), ('support', '亲属赡养或寄回'), ('other_transfer', '其他转移性收入'), ('seed', '种子种苗'), ('fertiliser', '化肥农药'), ('feed', '饲料'), ('young_animals', '仔畜幼禽'), ('machine', '机械作业'), ('hired_labour', '雇工'), ('rent_paid', '付出的租金'), ('other_expense', '其他支出')], max_length=24, verbose_name='种类')),
                ('item', models.CharField(blank=True, max_length=60, verbose_name='项目')),
                ('quantity', models.DecimalField(decimal_places=2, help_text='mu or head', max_digits=10, null=True, verbose_name='数量')),
                ('months', models.PositiveSmallIntegerField(null=True, verbose_name='月数')),
                ('monthly', models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name='每月金额')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='全年金额')),
                ('known', models.CharField(choices=[('paper', '有单据'), ('register', '部门登记'), ('estimate', '估计')], max_length=8, verbose_name='依据')),
                ('person', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='households.person')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='households.incomeline')),
                ('sheet', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='households.sheet')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='YearlyStandard',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('year', models.SmallIntegerField(verbose_name='年度')),
                ('number', models.PositiveSmallIntegerField(verbose_name='版本')),
                ('state', models.CharField(choices=[('draft', '草稿'), ('released', '已发布'), ('superseded', '已被替代')], default='draft', max_length=10, verbose_name='状态')),
                ('revision', models.PositiveIntegerField(default=1)),
                ('days_low', models.PositiveSmallIntegerField(default=20, verbose_name='每月出工天数（少）')),
                ('days_high', models.PositiveSmallIntegerField(default=26, verbose_name='每月出工天数（多）')),
                ('tolerance', models.PositiveSmallIntegerField(default=50, help_text='percent', verbose_name='超出范围多少算相差大')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('released_at', models.DateTimeField(null=True)),
                ('superseded_at', models.DateTimeField(null=True)),
                ('based_on', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='households.yearlystandard')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('division', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='divisions.division', verbose_name='县(市、区)')),
                ('proposed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('released_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='StandardRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('kind', models.CharField(choices=[('crop', '种植（亩）'), ('animal', '养殖（头、只）'), ('wage', '务工（天）')], max_length=6, verbose_name='种类')),
                ('item', models.CharField(max_length=60, verbose_name='项目')),
                ('yield_low', models.DecimalField(decimal_places=1, help_text='kg', max_digits=8, null=True, verbose_name='产量低')),
                ('yield_high', models.DecimalField(decimal_places=1, help_text='kg', max_digits=8, null=True, verbose_name='产量高')),
                ('low', models.DecimalField(decimal_places=2, max_digits=10, verbose_name='产值低')),
                ('high', models.DecimalField(decimal_places=2, max_digits=10, verbose_name='产值高')),
                ('net_low', models.DecimalField(decimal_places=2, max_digits=10, null=True, verbose_name='净值低')),
                ('net_high', models.DecimalField(decimal_places=2, max_digits=10, null=True, verbose_name='净值高')),
                ('proposed_by', models.CharField(blank=True, max_length=20, verbose_name='由户卡哪一项建议')),
                ('source', models.CharField(blank=True, max_length=200, verbose_name='依据')),
                ('standard', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rates', to='households.yearlystandard')),
            ],
            options={
                'ordering': ['position', 'id'],
            },
        ),
        migrations.AddConstraint(
            model_name='incomeline',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['wage', 'crop', 'animal', 'business', 'land_rent', 'dividend', 'other_property', 'family_planning', 'dibao', 'wubao', 'pension', 'ecological_compensation', 'subsidy', 'support', 'other_transfer', 'seed', 'fertiliser', 'feed', 'young_animals', 'machine', 'hired_labour', 'rent_paid', 'other_expense'])), name='income_line_kind'),
        ),
        migrations.AddConstraint(
            model_name='incomeline',
            constraint=models.CheckConstraint(condition=models.Q(('known__in', ['paper', 'register', 'estimate'])), name='income_line_known'),
        ),
        migrations.AddConstraint(
            model_name='incomeline',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gte', 0)), name='income_line_amount_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='incomeline',
            constraint=models.CheckConstraint(condition=models.Q(('quantity', None), ('quantity__gt', 0), _connector='OR'), name='income_line_quantity_positive'),
        ),
        migrations.AddConstraint(
            model_name='incomeline',
            constraint=models.CheckConstraint(condition=models.Q(('months', None), models.Q(('kind', 'wage'), ('months__range', (1, 12))), _connector='OR'), name='income_line_months'),
        ),
        migrations.AddConstraint(
            model_name='incomeline',
            constraint=models.CheckConstraint(condition=models.Q(('person', None), ('kind', 'wage'), _connector='OR'), name='income_line_person_earns_wage'),
        ),
        migrations.AddConstraint(
            model_name='incomeline',
            constraint=models.CheckConstraint(condition=models.Q(('monthly', None), models.Q(('amount', django.db.models.expressions.CombinedExpression(models.F('monthly'), '*', models.F('months'))), ('months__isnull', False)), _connector='OR'), name='income_line_months_times_monthly'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='incomeline',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "households_incomelineevent" ("amount", "id", "item", "kind", "known", "monthly", "months", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "quantity", "sheet_id", "version") VALUES (OLD."amount", OLD."id", OLD."item", OLD."kind", OLD."known", OLD."monthly", OLD."months", OLD."person_id", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."position", OLD."quantity", OLD."sheet_id", OLD."version"); RETURN NULL;', hash='0120927c77c95d4c1826ea79db8e55a054899881', operation='UPDATE', pgid='pgtrigger_update_update_3e948', table='households_incomeline', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='incomeline',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "households_incomelineevent" ("amount", "id", "item", "kind", "known", "monthly", "months", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "quantity", "sheet_id", "version") VALUES (OLD."amount", OLD."id", OLD."item", OLD."kind", OLD."known", OLD."monthly", OLD."months", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."position", OLD."quantity", OLD."sheet_id", OLD."version"); RETURN NULL;', hash='2dd2a4f2a7a7cdb975e4990ee23505c8cf7ae6f7', operation='DELETE', pgid='pgtrigger_delete_delete_0a45e', table='households_incomeline', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='yearlystandard',
            constraint=models.UniqueConstraint(fields=('division', 'year', 'number'), name='yearly_standard_number_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='yearlystandard',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'released')), fields=('division', 'year'), name='yearly_standard_one_in_force', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='yearlystandard',
            constraint=models.CheckConstraint(condition=models.Q(('year__range', (2010, 2100))), name='yearly_standard_year'),
        ),
        migrations.AddConstraint(
            model_name='yearlystandard',
            constraint=models.CheckConstraint(condition=models.Q(('days_high__lte', 31), ('days_low__gte', 1), ('days_low__lte', models.F('days_high'))), name='yearly_standard_days'),
        ),
        migrations.AddConstraint(
            model_name='yearlystandard',
            constraint=models.CheckConstraint(condition=models.Q(('tolerance__range', (0, 100))), name='yearly_standard_tolerance'),
        ),
        migrations.AddConstraint(
            model_name='yearlystandard',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('released_at', None), ('state', 'draft')), models.Q(('released_at__isnull', False), ('state__in', ['released', 'superseded'])), _connector='OR'), name='yearly_standard_released_when'),
        ),
        migrations.AddConstraint(
            model_name='yearlystandard',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'superseded'), ('superseded_at', None), _connector='XOR'), name='yearly_standard_superseded_when'),
        ),
        migrations.AddConstraint(
            model_name='yearlystandard',
            constraint=models.CheckConstraint(condition=models.Q(('released_by', None), models.Q(('proposed_by__isnull', False), models.Q(('released_by', models.F('proposed_by')), _negated=True)), _connector='OR'), name='yearly_standard_released_by_two'),
        ),
        migrations.AddConstraint(
            model_name='standardrate',
            constraint=models.UniqueConstraint(fields=('standard', 'kind', 'item'), name='standard_rate_once'),
        ),
        migrations.AddConstraint(
            model_name='standardrate',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['crop', 'animal', 'wage'])), name='standard_rate_kind'),
        ),
        migrations.AddConstraint(
            model_name='standardrate',
            constraint=models.CheckConstraint(condition=models.Q(('item', ''), _negated=True), name='standard_rate_named'),
        ),
        migrations.AddConstraint(
            model_name='standardrate',
            constraint=models.CheckConstraint(condition=models.Q(('low__gt', 0), ('low__lte', models.F('high'))), name='standard_rate_range'),
        ),
        migrations.AddConstraint(
            model_name='standardrate',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('net_high', None), ('net_low', None)), models.Q(('net_high__isnull', False), ('net_high__lte', models.F('high')), ('net_low__isnull', False), ('net_low__lte', models.F('net_high'))), _connector='OR'), name='standard_rate_net_range'),
        ),
        migrations.AddConstraint(
            model_name='standardrate',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('yield_high', None), ('yield_low', None)), models.Q(('yield_high__isnull', False), ('yield_low__gt', 0), ('yield_low__isnull', False), ('yield_low__lte', models.F('yield_high'))), _connector='OR'), name='standard_rate_yield_range'),
        ),
        migrations.AddConstraint(
            model_name='standardrate',
            constraint=models.CheckConstraint(condition=models.Q(('proposed_by__in', ['', 'irrigated_land', 'dry_land', 'orchard', 'forest_land', 'pasture', 'water_surface', 'pigs', 'cattle', 'sheep', 'poultry'])), name='standard_rate_proposed_by'),
        ),
    ]
