"""Indexes behind the filters and orders of the card list; chosen columns, kept filters, exports."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('divisions', '0001_initial'),
        ('households', '0021_seal_checks_and_notes'),
        ('jobs', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CardExport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('area', models.BigIntegerField(help_text='the division of the list')),
                ('format', models.CharField(choices=[('xlsx', 'Excel 工作簿（.xlsx）'), ('csv', 'CSV 文本（.csv）')], default='xlsx', max_length=4, verbose_name='格式')),
                ('reason', models.CharField(max_length=200, verbose_name='用途')),
                ('query', models.TextField(blank=True)),
                ('columns', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30), size=None)),
                ('rows', models.PositiveIntegerField(null=True, verbose_name='户数')),
                ('file_cipher', models.BinaryField(null=True)),
                ('size', models.PositiveIntegerField(null=True)),
                ('ordered_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('made_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('fetched', models.PositiveIntegerField(default=0, verbose_name='下载次数')),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='ColumnChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('columns', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30), size=None)),
            ],
        ),
        migrations.CreateModel(
            name='SavedFilter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('area', models.BigIntegerField()),
                ('name', models.CharField(max_length=40, verbose_name='名称')),
                ('query', models.TextField()),
                ('shared', models.BooleanField(default=False, verbose_name='与本单位同事共用')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('deleted_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['name', 'pk'],
            },
        ),
        migrations.AddIndex(
            model_name='finding',
            index=models.Index(condition=models.Q(('blocks', True), ('decided_at', None)), fields=['household'], name='finding_blocks'),
        ),
        migrations.AddIndex(
            model_name='household',
            index=models.Index(fields=['-changed_at', '-id'], name='household_changed'),
        ),
        migrations.AddIndex(
            model_name='household',
            index=models.Index(django.db.models.expressions.CombinedExpression(models.F('village'), '/', models.Value(1000000)), models.OrderBy(models.F('changed_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='household_county_changed'),
        ),
        migrations.AddIndex(
            model_name='household',
            index=models.Index(condition=models.Q(('number__isnull', False)), fields=['village', 'number', 'id'], name='household_village_number'),
        ),
        migrations.AddIndex(
            model_name='membersheet',
            index=models.Index(fields=['labour', 'sheet'], name='member_sheet_labour'),
        ),
        migrations.AddIndex(
            model_name='membersheet',
            index=models.Index(condition=models.Q(('health__contains', ['长期慢性病'])), fields=['sheet'], name='member_sheet_chronic'),
        ),
        migrations.AddIndex(
            model_name='membersheet',
            index=models.Index(condition=models.Q(('health__contains', ['患有大病'])), fields=['sheet'], name='member_sheet_serious'),
        ),
        migrations.AddIndex(
            model_name='membersheet',
            index=models.Index(condition=models.Q(('health__contains', ['残疾'])), fields=['sheet'], name='member_sheet_disabled'),
        ),
        migrations.AddIndex(
            model_name='person',
            index=models.Index(fields=['name'], name='person_name', opclasses=['varchar_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='person',
            index=models.Index(fields=['initials'], name='person_initials', opclasses=['varchar_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='person',
            index=models.Index(fields=['pinyin'], name='person_pinyin', opclasses=['varchar_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='result',
            index=models.Index(fields=['year', 'outcome', 'household'], include=('run', 'village'), name='result_outcome'),
        ),
        migrations.AddIndex(
            model_name='result',
            index=models.Index(condition=models.Q(('guarantee_gap', True)), fields=['year', 'household'], name='result_guarantee_gap'),
        ),
        migrations.AddIndex(
            model_name='result',
            index=models.Index(condition=models.Q(('excluded', True)), fields=['year', 'household'], name='result_excluded'),
        ),
        migrations.AddIndex(
            model_name='result',
            index=models.Index(condition=models.Q(('stale', True)), fields=['year', 'household'], name='result_stale_household'),
        ),
        migrations.AddIndex(
            model_name='sheet',
            index=models.Index(fields=['year', 'attribute', 'household'], name='sheet_attribute'),
        ),
        migrations.AddIndex(
            model_name='sheet',
            index=models.Index(fields=['year', 'main_cause', 'household'], name='sheet_main_cause'),
        ),
        migrations.AddIndex(
            model_name='sheet',
            index=models.Index(fields=['year', 'exit_flag', 'household'], name='sheet_exit_flag'),
        ),
        migrations.AddIndex(
            model_name='sheet',
            index=models.Index(fields=['year', 'per_capita_income', 'id'], include=('household',), name='sheet_per_capita_income'),
        ),
        migrations.AddIndex(
            model_name='sheet',
            index=models.Index(fields=['entered_by', 'year', 'household'], name='sheet_entered_by', opclasses=['varchar_pattern_ops', 'int2_ops', 'int8_ops']),
        ),
        migrations.AddField(
            model_name='cardexport',
            name='job',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='jobs.job'),
        ),
        migrations.AddField(
            model_name='cardexport',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='columnchoice',
            name='user',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='savedfilter',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='cardexport',
            index=models.Index(fields=['owner', '-id'], name='households__owner_i_9a0c42_idx'),
        ),
        migrations.AddIndex(
            model_name='cardexport',
            index=models.Index(condition=models.Q(('file_cipher__isnull', False)), fields=['expires_at'], name='card_export_kept'),
        ),
        migrations.AddConstraint(
            model_name='cardexport',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='card_export_has_reason'),
        ),
        migrations.AddConstraint(
            model_name='cardexport',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('expires_at', None), ('file_cipher', None), ('made_at', None)), models.Q(('expires_at__gt', models.F('made_at')), ('made_at__isnull', False)), _connector='OR'), name='card_export_made_with_expiry'),
        ),
        migrations.AddIndex(
            model_name='savedfilter',
            index=models.Index(condition=models.Q(('deleted_at', None), ('shared', True)), fields=['area'], name='saved_filter_shared'),
        ),
        migrations.AddConstraint(
            model_name='savedfilter',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at', None)), fields=('owner', 'name'), name='saved_filter_name_once'),
        ),
        migrations.AddConstraint(
            model_name='savedfilter',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='saved_filter_has_name'),
        ),
    ]
